import { readRecord } from '@quire/marc/iso2709/read';
import { readMarcJsonFrame } from '@quire/marc/marc-json-read';
import { marcJsonText } from '@quire/marc/marc-json';
import { MarcXmlReader } from '@quire/marc/marcxml-read';

const [LESS_THAN, BRACE] = [0x3c, 0x7b];

/** The text of MARC-in-JSON of a frame in any of the formats; undefined when it gives no record. */
export function frameJson(frame: Buffer): string | undefined {
  const record = readAny(frame);
  return record.failed ? undefined : marcJsonText(record);
}

function readAny(frame: Buffer): ReturnType<typeof readRecord> {
  if (frame[0] === LESS_THAN) return new MarcXmlReader().read(frame);
  return frame[0] === BRACE ? readMarcJsonFrame(frame) : readRecord(frame);
}
