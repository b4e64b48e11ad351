import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import type { RecordError } from '@quire/marc/errors';
import { readRecord } from '@quire/marc/iso2709/read';
import type { CutFrame } from '@quire/marc/iso2709/split';
import type { MarcRecord } from '@quire/marc/record';

/** A record in stored form, or why the frame gives none. */
export type ReadResult = MarcRecord | RecordError;

/** What of a chunk says how its frames are read. */
export type FrameRules = Pick<ChunkReadyPayload, 'format' | 'options'>;

/** From the bytes of one frame to its record, in the format of its chunk (data-import, 8.4 to 8.6). */
export function readFrame({ frame, skipped }: CutFrame, { options }: FrameRules): ReadResult {
  return readRecord(frame, { skipped, strict: options.strict });
}
