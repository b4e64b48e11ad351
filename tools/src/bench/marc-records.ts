/** The records that a bench works on: from a file where one is given, else made up. */

import { readFile } from 'node:fs/promises';
import { readRecord } from '@quire/marc/iso2709/read';
import { splitFrames } from '@quire/marc/iso2709/split';
import { generateMarc } from '@quire/testing/marc';

/** Enough for steady figures, few enough to stay in memory. */
const RECORDS = 3_000;

/**
 * Records in stored form.
 *
 * @param file path of a MARC file (ISO 2709); those of its records that cannot be read are left out
 */
export async function benchRecords(file?: string): Promise<Buffer[]> {
  if (file === undefined) return [...generateMarc(1, RECORDS)];
  const bytes = await readFile(file);
  return splitFrames(bytes).flatMap((frame) => {
    const record = readRecord(bytes.subarray(frame.offset, frame.offset + frame.length));
    return record.failed ? [] : [record.bytes];
  });
}
