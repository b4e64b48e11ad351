/** The records that a bench works on: from a file where one is given, else made up. */

import { readFile } from 'node:fs/promises';
import { summarise } from '@quire/marc/fields';
import type { MarcRecord } from '@quire/marc/record';
import { readRecord } from '@quire/marc/iso2709/read';
import { splitFrames } from '@quire/marc/iso2709/split';
import { generateMarc } from '@quire/testing/marc';

/** Enough for steady figures, few enough to stay in memory. */
const RECORDS = 3_000;

/**
 * Records in stored form.
 *
 * @param file path of a MARC file (ISO 2709); of its records those are taken that can be read, are bibliographic and not
 *   deleted: what an import stores and an export of all instances gives back
 */
export async function benchRecords(file?: string): Promise<Buffer[]> {
  if (file === undefined) return [...generateMarc(1, RECORDS)];
  const bytes = await readFile(file);
  return splitFrames(bytes).flatMap((frame) => {
    const record = readRecord(bytes.subarray(frame.offset, frame.offset + frame.length));
    return record.failed || !isLivingBib(record) ? [] : [record.bytes];
  });
}

function isLivingBib(record: MarcRecord): boolean {
  const { recordType, status } = summarise(record);
  return recordType === 'MARC_BIB' && status !== 'd';
}
