/**
 * Reading MARC-8 against `yaz-marcdump` of Index Data, where it is installed: a C program that many libraries convert
 * their files with. Both turn the same records into records in UTF-8; the other side's time includes its start and the
 * way through the file system, so it is given some megabytes at once.
 */

import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readRecord } from '@quire/marc/iso2709/read';
import { toMarc8 } from '@quire/marc/iso2709/write-marc8';
import { openStored } from '@quire/marc/iso2709/stored';
import { type BenchLine, fastest, rate, sizeOf } from './codec.bench.js';

const YAZ = 'yaz-marcdump';
const YAZ_ROUNDS = 5;
const FILE_BYTES = 20_000_000;

/** @param stored records in stored form; those that are too long in MARC-8 are left out */
export async function marc8Bench(stored: readonly Buffer[]): Promise<BenchLine[]> {
  const records = stored.flatMap((bytes) => {
    const made = toMarc8(openStored(bytes));
    return made.failed ? [] : [made.bytes];
  });
  const [seconds] = fastest(records, [read]);
  const line = { name: 'read MARC-8 into UTF-8', value: rate(records, seconds!), unit: 'MB/s' };
  const theirs = await yazRate(records);
  if (theirs === undefined) return [{ ...line, note: `${YAZ} is not installed: no comparison` }];
  return [{ ...line, ratio: line.value / theirs, note: `against ${YAZ}` }];
}

function read(bytes: Buffer): number {
  const record = readRecord(bytes);
  if (record.failed) throw new Error(`A record of the bench cannot be read: ${record.code}`);
  return record.bytes.length;
}

/** Megabytes per second of its fastest run; undefined if there is no such program. */
async function yazRate(records: readonly Buffer[]): Promise<number | undefined> {
  if (spawnSync(YAZ, ['-V']).error) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'quire-bench-'));
  try {
    const file = join(directory, 'marc8.mrc');
    const times = Math.ceil(FILE_BYTES / sizeOf(records));
    await pipeline(Readable.from(repeated(records, times)), createWriteStream(file));
    let best = Infinity;
    for (let round = 0; round < YAZ_ROUNDS; round++) best = Math.min(best, yazSeconds(file));
    return rate(records, best) * times;
  } finally {
    await rm(directory, { recursive: true });
  }
}

function* repeated(records: readonly Buffer[], times: number): Generator<Buffer> {
  for (let i = 0; i < times; i++) yield* records;
}

function yazSeconds(file: string): number {
  const start = performance.now();
  const args = ['-f', 'MARC-8', '-t', 'UTF-8', '-l', '9=97', '-o', 'marc', file];
  const { status } = spawnSync(YAZ, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${YAZ} failed with status ${status}`);
  return (performance.now() - start) / 1_000;
}
