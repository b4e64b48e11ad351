import { randomUUID } from 'node:crypto';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkError } from '@quire/contracts/source-record-events';
import type { RecordEntry } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, type Answer } from './import-world.js';

export const LOGS = '/metadata-provider';
export const COUNT = 12;
/** In the order of code points, which is not that of UTF-16 units: U+FF21 comes before U+1F600. */
const TITLES = ['b', '\uff21', '', 'a', '\u{1f600}', '', 'B', 'a', '', 'É', 'Zz', 'a'];

export interface Shown {
  readonly sourceRecordOrder: string;
  readonly sourceRecordTitle: string;
  readonly sourceRecordActionStatus: string;
  readonly error: string;
}

export const frames = Array.from({ length: COUNT }, (_, order) =>
  marcRecord({ fields: [['001', `in${order}`]] }),
);
// Bytes that are no UTF-8, where clients are shown text.
frames[2] = Buffer.from('00030nam a2200025 a 4500\xff\xfe\x1e\x1e\x1e\x1d', 'latin1');
/** Where a record begins in the file. */
export const atOf = (order: number): number =>
  frames.slice(0, order).reduce((sum, frame) => sum + frame.length, 0);
const failed = (o: number, more: Partial<ChunkError> & { c: string }): ChunkError => ({
  o,
  at: atOf(o),
  len: frames[o]!.length,
  ...more,
});
const ERRORS = [
  failed(2, { c: 'DIRECTORY' }),
  failed(5, { c: 'PROFILE_TYPE', t: 'A', n: 'Zoe', h: 'in5' }),
  // Between two saved titles, though not in UTF-16.
  failed(8, { c: 'EXISTING_999FF', t: 'B', n: '\uff22', h: 'in8' }),
];
/** Orders of the records that failed. */
export const FAILED: ReadonlySet<number> = new Set(ERRORS.map((error) => error.o));

const facts = (order: number): Partial<RecordEntry> => ({
  title: TITLES[order]!,
  externalHrid: `in${order}`,
  ...(order === 3 ? { action: 'UPDATED', matchedId: randomUUID() } : {}),
  ...(order === 4 ? { action: 'UNCHANGED', matchedId: randomUUID() } : {}),
  ...(order === 6 ? { recordType: 'MARC_AUTHORITY' } : {}),
  ...(order === 7 ? { recordType: 'MARC_HOLDING' } : {}),
});

/**
 * An import of twelve records that has ended, for what its logs say: some made, one updated, one left as it was, three failed.
 * To be called in a `describe`; `world` and `jobId` are there when its tests begin.
 */
export function useLoggedImport() {
  let database: TestDatabase;
  let world: ImportWorld;
  let jobId: string;
  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
    const job = await world.start(Buffer.from(frames.flatMap((frame) => [...frame])));
    jobId = job.jobId;
    const [chunk] = await world.sent.of(jobId, 1);
    const counts = { created: 7, updated: 1, unchanged: 1, failed: 3, warned: 0 };
    await world.saved(chunk!, {
      counts: { ...counts, byType: {}, warnings: {} },
      errors: ERRORS,
    });
    for (let order = 0; order < COUNT; order += 1)
      if (!FAILED.has(order)) world.sent.saved.add(jobId, order, facts(order));
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const idOf = (order: number): string => uuidV5(jobId, `file:${order}`);
  const entries = (query = '', id = jobId): Promise<Answer> =>
    world.get(`${LOGS}/jobLogEntries/${id}?${query}`);
  const listed = async (query = ''): Promise<Shown[]> => {
    const answer = await entries(query);
    expect(answer.status).toBe(200);
    return (answer.json as { entries: Shown[] }).entries;
  };
  const orders = async (query: string): Promise<number[]> =>
    (await listed(query)).map((entry) => Number(entry.sourceRecordOrder));

  return {
    idOf,
    entries,
    listed,
    orders,
    get world(): ImportWorld {
      return world;
    },
    get jobId(): string {
      return jobId;
    },
  };
}
