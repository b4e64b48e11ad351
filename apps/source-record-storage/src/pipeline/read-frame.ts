import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { RecordError } from '@quire/marc/errors';
import { readRecord } from '@quire/marc/iso2709/read';
import type { CutFrame } from '@quire/marc/iso2709/split';
import { readMarcJsonFrame } from '@quire/marc/marc-json-read';
import { MarcXmlReader } from '@quire/marc/marcxml-read';
import type { MarcRecord } from '@quire/marc/record';

/** A record in stored form, or why the frame gives none. */
export type ReadResult = MarcRecord | RecordError;

/** What of a chunk says how its frames are read. */
export type FrameRules = Pick<ChunkReadyPayload, 'format' | 'xmlContext' | 'options'>;

/** From the bytes of one frame to its record, in the format of its chunk (data-import, 8.4 to 8.6). */
export function readFrame(
  { frame, skipped }: CutFrame,
  { format, xmlContext, options }: FrameRules,
): ReadResult {
  const { strict } = options;
  switch (format) {
    case 'MARC_XML':
      return readerIn(xmlContext).read(frame);
    case 'MARC_JSON':
      return readMarcJsonFrame(frame, { strict });
    case 'MARC_RAW':
    case 'BATCH':
      return readRecord(frame, { skipped, strict });
  }
}

let lastContext: string | undefined;
let lastReader = new MarcXmlReader();

/** A reader knows the elements around its frames; what it learns of one chunk serves the next of the same file. */
function readerIn(context: string | undefined): MarcXmlReader {
  if (context !== lastContext) lastReader = new MarcXmlReader(context);
  lastContext = context;
  return lastReader;
}
