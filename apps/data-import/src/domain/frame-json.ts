import { readRecord } from '@quire/marc/iso2709/read';
import { readMarcJsonFrame } from '@quire/marc/marc-json-read';
import { marcJsonText } from '@quire/marc/marc-json';
import { MarcXmlReader } from '@quire/marc/marcxml-read';

/** How a frame was written. */
export interface FrameForm {
  readonly format: string;
  /** Start tags of the elements around a frame of MARCXML. */
  readonly xmlContext?: string | undefined;
}

/** The text of MARC-in-JSON of a frame; undefined when it gives no record. */
export function frameJson(frame: Buffer, { format, xmlContext }: FrameForm): string | undefined {
  const record =
    format === 'MARC_XML'
      ? new MarcXmlReader(xmlContext).read(frame)
      : format === 'MARC_JSON'
        ? readMarcJsonFrame(frame)
        : readRecord(frame);
  return record.failed ? undefined : marcJsonText(record);
}
