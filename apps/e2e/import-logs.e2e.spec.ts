import type {
  IncomingRecord,
  JobLogEntry,
  JobSummary,
  JournalRecord,
} from '@quire/contracts/job-logs';
import { generateMarc, marcRecord } from '@quire/testing/marc';
import { importEnds, startImport } from './src/steps.js';
import { World, type Person } from './src/world.js';

const LOGS = '/metadata-provider';
const GOOD = 1130;
const PAGE = 100;
const MATCHED_ID = '6b0e1e2c-51a5-4c6e-9c55-3c1a1d1f0a01';

/** Two good records beside ones that cannot be read, one that came out of a catalogue like this one. */
function mixed(): { frames: Buffer[]; unreadable: Set<number>; returned: number } {
  const frames = [...generateMarc(23, GOOD)];
  const directory = '245000a00000700000a00000';
  for (const order of [0, 4, 99, 100, 1001])
    frames.splice(
      order,
      0,
      Buffer.from(`00080nam a2200049 a 4500${directory}\x1e10\x1faBad ${order}\x1e\x1d`),
    );
  const fields = [
    ['001', 'back1'],
    ['245', '10', { a: 'Returned' }],
    ['999', 'ff', { s: MATCHED_ID }],
  ] as const;
  const returned = 500;
  frames.splice(returned, 0, marcRecord({ fields }));
  return { frames, unreadable: new Set([0, 4, 99, 100, 1002]), returned };
}

describe('a cataloguer looks up what became of each record of a file', () => {
  let world: World;
  let person: Person;
  let jobId: string;
  const { frames, unreadable, returned } = mixed();
  const total = frames.length;
  const isFailed = (order: number): boolean => unreadable.has(order) || order === returned;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    const file = Buffer.from(frames.flatMap((frame) => [...frame]));
    const job = await importEnds(person, await startImport(person, file, { name: 'winter.mrc' }));
    expect(job).toMatchObject({ result: 'PARTIAL', progress: { current: total, total } });
    jobId = job.id;
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const page = async (query: string, id = jobId): Promise<JobLogEntry[]> => {
    const { entries } = await person.get<{ entries: JobLogEntry[] }>(
      `${LOGS}/jobLogEntries/${id}?${query}`,
    );
    return entries;
  };
  /** As the web UI turns its pages. */
  const pages = async (query: string): Promise<JobLogEntry[]> => {
    const found: JobLogEntry[] = [];
    for (let offset = 0; offset < total; offset += PAGE)
      found.push(...(await page(`${query}&limit=${PAGE}&offset=${offset}`)));
    return found;
  };

  it('sees the counts of the file in the summary', async () => {
    const summary = await person.get<JobSummary>(`${LOGS}/jobSummary/${jobId}`);
    const failed = unreadable.size + 1;
    expect(summary).toEqual({
      jobExecutionId: jobId,
      totalErrors: failed,
      sourceRecordSummary: {
        totalCreatedEntities: GOOD,
        totalUpdatedEntities: 0,
        totalDiscardedEntities: failed,
        totalErrors: failed,
      },
    });
  });

  it('finds every record of the file once, in its order, saved and failed ones among each other', async () => {
    const entries = await pages('sortBy=source_record_order');
    expect(entries.map((entry) => Number(entry.sourceRecordOrder))).toEqual(
      Array.from({ length: total }, (_, order) => order),
    );
    for (const [order, entry] of entries.entries()) {
      expect(entry.sourceRecordActionStatus).toBe(isFailed(order) ? 'DISCARDED' : 'CREATED');
      expect(entry.error !== '').toBe(isFailed(order));
      expect(entry.sourceRecordId !== undefined).toBe(!isFailed(order));
      // Its title is in the bytes of its frame.
      const [word = ''] = (entry.sourceRecordTitle ?? '').split(' ');
      if (!unreadable.has(order)) expect(frames[order]?.toString('utf8')).toContain(word);
    }
    const errors = await page('errorsOnly=true&limit=100');
    expect(errors).toEqual(entries.filter((entry) => entry.error !== ''));
  });

  it.each(['title', 'source_record_action_status', 'error'])(
    'turns the same pages sorted by %s, forwards and backwards',
    async (sort) => {
      const forwards = await pages(`sortBy=${sort}`);
      expect(new Set(forwards.map((entry) => entry.incomingRecordId)).size).toBe(total);
      const backwards = await pages(`sortBy=${sort}&order=desc`);
      expect(backwards).toEqual([...forwards].reverse());
      expect(await page(`sortBy=${sort}&limit=2147483647`)).toEqual(forwards);
    },
  );

  it('reads in the journal what the entries say', async () => {
    const { journalRecords, totalRecords } = await person.get<{
      journalRecords: JournalRecord[];
      totalRecords: number;
    }>(`${LOGS}/journalRecords/${jobId}`);
    expect([journalRecords.length, totalRecords]).toEqual([2 * total, 2 * total]);
    const entries = await page('limit=2147483647');
    for (const [order, entry] of entries.entries()) {
      const [parse, deed] = journalRecords.slice(2 * order, 2 * order + 2);
      expect(parse).toMatchObject({
        sourceId: entry.incomingRecordId,
        sourceRecordOrder: order,
        actionType: 'PARSE',
        actionStatus: unreadable.has(order) ? 'ERROR' : 'COMPLETED',
        error: unreadable.has(order) ? entry.error : '',
      });
      expect(deed).toMatchObject({
        sourceId: entry.incomingRecordId,
        actionType: 'CREATE',
        entityType: 'MARC_BIBLIOGRAPHIC',
        actionStatus: isFailed(order) ? 'ERROR' : 'COMPLETED',
        error: entry.error,
      });
      expect(deed?.entityId).toBe(entry.sourceRecordId);
    }
    expect(new Set(journalRecords.map((row) => row.id)).size).toBe(2 * total);
  });

  it('opens a record as it came in, saved or not', async () => {
    for (const order of [1, returned, 4, total - 1]) {
      const [entry] = await page(`limit=1&offset=${order}`);
      const id = entry?.incomingRecordId ?? '';
      expect(await person.get(`${LOGS}/jobLogEntries/${jobId}/records/${id}`)).toEqual(entry);
      const incoming = await person.get<IncomingRecord>(`${LOGS}/incomingRecords/${id}`);
      expect(incoming).toMatchObject({ id, jobExecutionId: jobId, order });
      const frame = frames[order]?.toString('utf8') ?? '';
      expect(incoming.rawRecordContent).toBe(frame);
      if (unreadable.has(order)) expect(incoming).not.toHaveProperty('parsedRecordContent');
      else {
        const parsed = JSON.parse(incoming.parsedRecordContent ?? '') as {
          fields: Record<string, unknown>[];
        };
        expect(frame).toContain(parsed.fields[0]?.['001']);
      }
    }
  });

  it('sees that a second import of the same records changes nothing', async () => {
    const again = frames.filter((_, order) => !isFailed(order)).slice(0, 30);
    const file = Buffer.from(again.flatMap((frame) => [...frame]));
    const profile = {
      id: 'f5480378-9acd-4f7e-8219-6410f4ac9582',
      name: 'Quire - Create or update MARC records',
      dataType: 'MARC',
    };
    const job = await importEnds(
      person,
      await startImport(person, file, { name: 'again.mrc', profile }),
    );
    expect(job).toMatchObject({ status: 'COMMITTED', result: 'SUCCESS' });
    const summary = await person.get<JobSummary>(`${LOGS}/jobSummary/${job.id}`);
    expect(summary).toMatchObject({
      totalErrors: 0,
      sourceRecordSummary: { totalCreatedEntities: 0, totalDiscardedEntities: 30 },
    });
    const before = new Map(
      (await page('limit=2147483647')).map((entry) => [
        entry.sourceRecordTitle,
        entry.sourceRecordId,
      ]),
    );
    for (const entry of await page('limit=100', job.id)) {
      expect(entry).toMatchObject({ sourceRecordActionStatus: 'DISCARDED', error: '' });
      expect(entry.sourceRecordId).toBe(before.get(entry.sourceRecordTitle));
    }
    const { journalRecords } = await person.get<{ journalRecords: JournalRecord[] }>(
      `${LOGS}/journalRecords/${job.id}?sortBy=action_type`,
    );
    const actions = journalRecords.map((row) => row.actionType);
    expect(actions).toEqual([
      ...Array<string>(30).fill('MATCH'),
      ...Array<string>(30).fill('PARSE'),
    ]);
    const [incoming] = await page('limit=1', job.id);
    const record = await person.get<IncomingRecord>(
      `${LOGS}/incomingRecords/${incoming?.incomingRecordId ?? ''}`,
    );
    expect(record.rawRecordContent).toBe(again[0]?.toString('utf8'));
  });

  it('makes jobs for people whom the gateway knows', async () => {
    const stranger = '00000000-0000-4000-8000-000000000000';
    const answer = await person.send('POST', '/change-manager/jobExecutions', {
      json: { sourceType: 'ONLINE', userId: stranger },
    });
    expect(answer).toMatchObject({ status: 400, text: `No user found by user id :${stranger}` });
  });

  it('deletes the logs and keeps the records', async () => {
    const [entry] = await page('limit=1&offset=1');
    const answer = await person.send('DELETE', '/change-manager/jobExecutions', {
      json: { ids: [jobId] },
    });
    expect(answer).toMatchObject({
      status: 200,
      json: { jobExecutionDetails: [{ jobExecutionId: jobId, isDeleted: true }] },
    });
    expect(await page('limit=1')).toEqual([]);
    for (const path of [
      `/change-manager/jobExecutions/${jobId}`,
      `${LOGS}/jobSummary/${jobId}`,
      `${LOGS}/journalRecords/${jobId}`,
      `${LOGS}/incomingRecords/${entry?.incomingRecordId ?? ''}`,
    ])
      expect((await person.send('GET', path)).status).toBe(404);
    const stored = await person.get<{ totalRecords: number }>(
      `/source-storage/source-records?snapshotId=${jobId}&limit=0`,
    );
    expect(stored.totalRecords).toBe(GOOD);
  });
});
