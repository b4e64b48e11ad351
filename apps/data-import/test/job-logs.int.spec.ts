import { randomUUID } from 'node:crypto';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkError } from '@quire/contracts/source-record-events';
import type { RecordEntry } from '@quire/contracts/source-records';
import { openStored } from '@quire/marc/iso2709/stored';
import { marcJsonText } from '@quire/marc/marc-json';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, OTHER_TENANT, TENANT, type Answer } from './import-world.js';

const LOGS = '/metadata-provider';
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const COUNT = 12;
const SORTS = [
  'source_record_order',
  'title',
  'source_record_action_status',
  'instance_action_status',
  'holdings_action_status',
  'item_action_status',
  'authority_action_status',
  'order_action_status',
  'invoice_action_status',
  'error',
];
/** In the order of code points, which is not that of UTF-16 units: U+FF21 comes before U+1F600. */
const TITLES = ['b', '\uff21', '', 'a', '\u{1f600}', '', 'B', 'a', '', 'É', 'Zz', 'a'];

interface Shown {
  readonly sourceRecordOrder: string;
  readonly sourceRecordTitle: string;
  readonly sourceRecordActionStatus: string;
  readonly error: string;
}

describe('the logs of an import', () => {
  let database: TestDatabase;
  let world: ImportWorld;
  let jobId: string;
  const frames = Array.from({ length: COUNT }, (_, order) =>
    marcRecord({ fields: [['001', `in${order}`]] }),
  );
  // Bytes that are no UTF-8, where clients are shown text.
  frames[2] = Buffer.from('00030nam a2200025 a 4500\xff\xfe\x1e\x1e\x1e\x1d', 'latin1');
  const atOf = (order: number): number =>
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
  const FAILED = new Set(ERRORS.map((error) => error.o));

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

  const facts = (order: number): Partial<RecordEntry> => ({
    title: TITLES[order]!,
    externalHrid: `in${order}`,
    ...(order === 3 ? { action: 'UPDATED', matchedId: randomUUID() } : {}),
    ...(order === 4 ? { action: 'UNCHANGED', matchedId: randomUUID() } : {}),
    ...(order === 6 ? { recordType: 'MARC_AUTHORITY' } : {}),
    ...(order === 7 ? { recordType: 'MARC_HOLDING' } : {}),
  });
  const idOf = (order: number): string => uuidV5(jobId, `file:${order}`);
  const entries = (query = '', id = jobId): Promise<Answer> =>
    world.get(`${LOGS}/jobLogEntries/${id}?${query}`);
  const listed = async (query = ''): Promise<Shown[]> => {
    const { status, json } = await entries(query);
    expect(status).toBe(200);
    return json.entries as Shown[];
  };
  const orders = async (query: string): Promise<number[]> =>
    (await listed(query)).map((entry) => Number(entry.sourceRecordOrder));

  describe('sum up', () => {
    const summary = (id: string): Promise<Answer> => world.get(`${LOGS}/jobSummary/${id}`);

    it('what was done, in the one form that clients can read', async () => {
      const { status, json } = await summary(jobId);
      expect(status).toBe(200);
      expect(json).toEqual({
        jobExecutionId: jobId,
        totalErrors: 3,
        sourceRecordSummary: {
          totalCreatedEntities: 7,
          totalUpdatedEntities: 1,
          totalDiscardedEntities: 4,
          totalErrors: 3,
        },
      });
    });

    it('nothing of a job of which nothing is done, unless it has ended', async () => {
      const { jobId: running } = await world.start(frames[0]!);
      for (const id of [running, UNKNOWN_ID, 'x'])
        expect(await summary(id)).toMatchObject({
          status: 404,
          text: `JobSummary for jobExecutionId: '${id}' was not found`,
        });
      await world.ask('DELETE', `/change-manager/jobExecutions/${running}/records`);
      expect((await summary(running)).json).toMatchObject({ totalErrors: 0 });
    });
  });

  describe('list entries', () => {
    it('of all records, saved and failed, in the order of the file', async () => {
      const { json } = await entries('limit=100');
      expect(Object.keys(json)).toEqual(['entries', 'totalRecords']);
      expect(json.totalRecords).toBe(COUNT);
      expect(await orders('limit=100')).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    });

    it('with everything that the web UI reads without looking', async () => {
      const shown = await listed('limit=100');
      const none = { idList: [], hridList: [] };
      const related = {
        relatedInstanceInfo: none,
        relatedAuthorityInfo: none,
        relatedPoLineInfo: none,
        relatedInvoiceInfo: none,
        relatedInvoiceLineInfo: {},
        relatedHoldingsInfo: [],
        relatedItemInfo: [],
      };
      const common = { jobExecutionId: jobId, sourceRecordTenantId: TENANT, ...related };
      expect(shown[0]).toEqual({
        ...common,
        incomingRecordId: idOf(0),
        sourceRecordId: idOf(0),
        sourceRecordOrder: '0',
        sourceRecordTitle: 'b',
        sourceRecordActionStatus: 'CREATED',
        sourceRecordType: 'MARC_BIBLIOGRAPHIC',
        error: '',
      });
      expect(shown[2]).toEqual({
        ...common,
        incomingRecordId: idOf(2),
        sourceRecordOrder: '2',
        sourceRecordTitle: 'No content',
        sourceRecordActionStatus: 'DISCARDED',
        error: `{"errors":[{"name":"DIRECTORY","message":"The directory does not match the fields of the record (record 3, byte ${atOf(2)})"}]}`,
      });
      expect(shown[5]).toMatchObject({
        sourceRecordTitle: 'Zoe',
        sourceRecordType: 'MARC_AUTHORITY',
        relatedAuthorityInfo: none,
        error:
          "Chosen job profile 'Default - Create instance and SRS MARC Bib' does not support 'MARC_AUTHORITY' record type",
      });
      expect(shown[5]).not.toHaveProperty('sourceRecordId');
      expect(shown.map((entry) => entry.sourceRecordActionStatus)).toEqual(
        Array.from({ length: COUNT }, (_, order) =>
          order === 3 ? 'UPDATED' : order === 4 || FAILED.has(order) ? 'DISCARDED' : 'CREATED',
        ),
      );
      expect(shown[6]).toMatchObject({
        sourceRecordType: 'MARC_AUTHORITY',
        relatedAuthorityInfo: { idList: [idOf(6)], hridList: [] },
      });
      expect(shown[7]).toMatchObject({ sourceRecordType: 'MARC_HOLDINGS' });
    });

    it.each(SORTS)('sorted by %s, both ways', async (sort) => {
      const all = await listed('limit=100');
      const keyOf: Readonly<Record<string, (entry: Shown) => string>> = {
        title: (entry) => entry.sourceRecordTitle,
        source_record_action_status: (entry) => entry.sourceRecordActionStatus,
        error: (entry) => entry.error,
      };
      const key = keyOf[sort] ?? ((): string => '');
      const expected = [...all]
        .sort(
          (a, b) =>
            Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b))) ||
            Number(a.sourceRecordOrder) - Number(b.sourceRecordOrder),
        )
        .map((entry) => Number(entry.sourceRecordOrder));
      expect(await orders(`sortBy=${sort}&limit=100`)).toEqual(expected);
      expect(await orders(`sortBy=${sort}&order=DESC&limit=100`)).toEqual([...expected].reverse());
    });

    it.each(SORTS)('page by page across failed and saved ones, sorted by %s', async (sort) => {
      for (const order of ['asc', 'desc']) {
        const query = `sortBy=${sort}&order=${order}`;
        const paged: number[] = [];
        for (let offset = 0; offset < COUNT + 5; offset += 5)
          paged.push(...(await orders(`${query}&limit=5&offset=${offset}`)));
        expect(paged).toEqual(await orders(`${query}&limit=100`));
      }
    });

    it('of failed records only, without asking for the others', async () => {
      world.sent.saved.asked.length = 0;
      const { json } = await entries('errorsOnly=true&limit=2');
      expect(json.totalRecords).toBe(3);
      expect(await orders('errorsOnly=true')).toEqual([2, 5, 8]);
      expect(await orders('errorsOnly=TRUE&order=desc&limit=1&offset=1')).toEqual([5]);
      expect(await orders('errorsOnly=true&sortBy=error')).toEqual([5, 8, 2]);
      expect(await orders('errorsOnly=true&sortBy=title&order=desc')).toEqual([8, 5, 2]);
      expect(world.sent.saved.asked).toEqual([]);
    });

    it('of one kind', async () => {
      expect(await orders('entityType=AUTHORITY')).toEqual([5, 6]);
      expect((await entries('entityType=AUTHORITY&limit=1')).json.totalRecords).toBe(2);
      expect(await orders('entity=AUTHORITY&errorsOnly=true')).toEqual([5]);
      for (const all of ['entityType=MARC', 'entityType=ALL', 'entity=SRS_MARC', 'entity=x'])
        expect(await orders(`${all}&limit=100`)).toHaveLength(COUNT);
      for (const kind of ['INSTANCE', 'HOLDINGS', 'ITEM', 'ORDER', 'INVOICE'])
        for (const name of ['entityType', 'entity'])
          expect((await entries(`${name}=${kind}`)).json).toEqual({ entries: [], totalRecords: 0 });
    });

    it('counted in every way, and none of a job that is not known', async () => {
      expect((await entries('limit=0')).json).toEqual({ entries: [], totalRecords: COUNT });
      expect((await entries('offset=99')).json).toEqual({ entries: [], totalRecords: COUNT });
      expect((await entries('totalRecords=none&limit=1')).json).not.toHaveProperty('totalRecords');
      expect((await entries('', UNKNOWN_ID)).json).toEqual({ entries: [], totalRecords: 0 });
      const foreign = await world.get(`${LOGS}/jobLogEntries/${jobId}`, { tenant: OTHER_TENANT });
      expect(foreign.json).toEqual({ entries: [], totalRecords: 0 });
      expect(await entries('', 'x')).toMatchObject({
        status: 404,
        text: `JobExecution with id 'x' was not found`,
      });
    });

    it.each([
      ['sortBy=colour', "The specified field for sorting job log entries is invalid: 'colour'"],
      ['order=up', 'must match "asc|desc"'],
      ['errorsOnly=yes', 'must be true or false'],
      ['entityType=BOOK', 'must match "MARC|INSTANCE|HOLDINGS|AUTHORITY|ITEM|ORDER|INVOICE|ALL"'],
      ['limit=-1', 'must be greater than or equal to 0'],
    ])('only as asked rightly: %s', async (query, reason) => {
      const [name, value] = query.split('=');
      expect(await entries(query)).toMatchObject({
        status: 400,
        text: `'${name}' parameter is incorrect. parameter value {${value}} is not valid: ${reason}`,
      });
    });
  });

  describe('show one entry', () => {
    const entry = (recordId: string, id = jobId): Promise<Answer> =>
      world.get(`${LOGS}/jobLogEntries/${id}/records/${recordId}`);

    it('as the list does', async () => {
      const all = await listed('limit=100');
      for (const order of [0, 2, 4])
        expect(await entry(idOf(order))).toMatchObject({ status: 200, json: all[order]! });
    });

    it('of its own job only', async () => {
      const { jobId: other } = await world.start(frames[0]!);
      for (const [recordId, id] of [
        [UNKNOWN_ID, jobId],
        [idOf(0), other],
        [idOf(2), other],
        [idOf(0), UNKNOWN_ID],
        ['x', jobId],
        [idOf(0), 'x'],
      ] as const)
        expect(await entry(recordId, id)).toMatchObject({
          status: 404,
          text: 'Can`t find record with specific jobExecutionId and recordId',
        });
    });
  });

  describe('keep a journal', () => {
    const journal = (query = '', id = jobId): Promise<Answer> =>
      world.get(`${LOGS}/journalRecords/${id}?${query}`);
    const rows = async (query = ''): Promise<[number, string, string][]> => {
      const { status, json } = await journal(query);
      expect(status).toBe(200);
      return (
        json.journalRecords as { sourceRecordOrder: number; actionType: string; error: string }[]
      ).map((row) => [row.sourceRecordOrder, row.actionType, row.error]);
    };

    it('of two rows for each record, all unless told otherwise', async () => {
      const { json } = await journal();
      expect(Object.keys(json)).toEqual(['journalRecords', 'totalRecords']);
      expect(json.totalRecords).toBe(2 * COUNT);
      const actions = (await rows()).map(([order, action]) => `${order} ${action}`);
      expect(actions).toEqual(
        Array.from({ length: COUNT }, (_, order) => [
          `${order} PARSE`,
          `${order} ${order === 3 ? 'UPDATE' : order === 4 ? 'MATCH' : 'CREATE'}`,
        ]).flat(),
      );
    });

    it('that says the same each time, under ids of its own', async () => {
      const { json } = await journal();
      const all = json.journalRecords as Record<string, unknown>[];
      const entry = (await listed('limit=100'))[2]!;
      const common = { jobExecutionId: jobId, tenantId: TENANT };
      expect(all.slice(0, 2)).toEqual([
        {
          ...common,
          id: uuidV5(jobId, `${idOf(0)}::PARSE`),
          sourceId: idOf(0),
          sourceRecordOrder: 0,
          actionType: 'PARSE',
          actionStatus: 'COMPLETED',
          error: '',
          actionDate: '2026-03-01T10:00:00.000+00:00',
        },
        {
          ...common,
          id: uuidV5(jobId, `${idOf(0)}:MARC_BIBLIOGRAPHIC:CREATE`),
          sourceId: idOf(0),
          sourceRecordOrder: 0,
          entityType: 'MARC_BIBLIOGRAPHIC',
          entityId: idOf(0),
          entityHrId: 'in0',
          actionType: 'CREATE',
          actionStatus: 'COMPLETED',
          error: '',
          title: 'b',
          actionDate: '2026-03-01T10:00:00.000+00:00',
        },
      ]);
      expect(all.slice(4, 6)).toEqual([
        expect.objectContaining({
          actionType: 'PARSE',
          actionStatus: 'ERROR',
          error: entry.error,
          actionDate: expect.stringMatching(/\+00:00$/),
        }),
        {
          ...common,
          id: uuidV5(jobId, `${idOf(2)}:MARC_BIBLIOGRAPHIC:CREATE`),
          sourceId: idOf(2),
          sourceRecordOrder: 2,
          entityType: 'MARC_BIBLIOGRAPHIC',
          actionType: 'CREATE',
          actionStatus: 'ERROR',
          error: entry.error,
          actionDate: expect.any(String),
        },
      ]);
      expect(all.slice(10, 12)).toEqual([
        expect.objectContaining({ actionType: 'PARSE', actionStatus: 'COMPLETED', error: '' }),
        expect.objectContaining({
          entityType: 'MARC_AUTHORITY',
          entityHrId: 'in5',
          title: 'Zoe',
          actionStatus: 'ERROR',
        }),
      ]);
      expect(new Set(all.map((row) => row.id)).size).toBe(2 * COUNT);
      expect((await journal()).json).toEqual(json);
    });

    it('against the order of the file, the reading of a record first', async () => {
      const backwards = await rows('order=desc');
      expect(backwards.slice(0, 3).map(([order, action]) => `${order} ${action}`)).toEqual([
        '11 PARSE',
        '11 CREATE',
        '10 PARSE',
      ]);
    });

    it.each(['asc', 'desc'])('by action, %s', async (order) => {
      const sign = order === 'asc' ? 1 : -1;
      const all = await rows();
      const expected = [...all].sort(
        (a, b) => sign * (a[1] === b[1] ? a[0] - b[0] : a[1] < b[1] ? -1 : 1),
      );
      expect(await rows(`sortBy=action_type&order=${order}`)).toEqual(expected);
      expect(await rows(`sortBy=action_type&order=${order}&limit=3&offset=8`)).toEqual(
        expected.slice(8, 11),
      );
    });

    it('by error', async () => {
      const all = await rows();
      const without = all.filter(([, , error]) => error === '');
      const sorted = await rows('sortBy=error');
      expect(sorted.slice(0, without.length)).toEqual(without);
      expect(sorted.slice(without.length).map(([order, action]) => `${order} ${action}`)).toEqual([
        '5 CREATE',
        '8 CREATE',
        '2 PARSE',
        '2 CREATE',
      ]);
      const backwards = await rows('sortBy=error&order=desc&limit=5');
      expect(backwards.map(([order]) => order)).toEqual([2, 2, 8, 5, 11]);
    });

    it('page by page, also in the middle of a record', async () => {
      const all = await rows();
      for (const [offset, limit] of [
        [0, 1],
        [1, 1],
        [1, 2],
        [3, 4],
        [22, 9],
        [24, 5],
      ] as const)
        expect(await rows(`offset=${offset}&limit=${limit}`)).toEqual(
          all.slice(offset, offset + limit),
        );
      expect((await journal('limit=0')).json).toEqual({ journalRecords: [], totalRecords: 24 });
    });

    it('of jobs that there are, sorted as can be', async () => {
      for (const id of [UNKNOWN_ID, 'x'])
        expect(await journal('', id)).toMatchObject({
          status: 404,
          text: `JobExecution with id '${id}' was not found`,
        });
      expect(await journal('sortBy=title')).toMatchObject({
        status: 400,
        text: "'sortBy' parameter is incorrect. parameter value {title} is not valid: The specified field for sorting journal records is invalid: 'title'",
      });
      expect((await journal('order=x')).status).toBe(400);
    });
  });

  describe('show an incoming record', () => {
    const incoming = (id: string): Promise<Answer> => world.get(`${LOGS}/incomingRecords/${id}`);

    it('that could not be read, as text', async () => {
      expect(await incoming(idOf(2))).toMatchObject({
        status: 200,
        json: {
          id: idOf(2),
          jobExecutionId: jobId,
          recordType: 'MARC_BIB',
          order: 2,
          rawRecordContent: frames[2]!.toString('utf8'),
        },
      });
      const { json } = await incoming(idOf(2));
      expect(json.rawRecordContent).toContain('\ufffd');
      expect(json).not.toHaveProperty('parsedRecordContent');
    });

    it('that was refused, as it was read', async () => {
      const { json } = await incoming(idOf(5));
      expect(json).toEqual({
        id: idOf(5),
        jobExecutionId: jobId,
        recordType: 'MARC_AUTHORITY',
        order: 5,
        rawRecordContent: frames[5]!.toString('utf8'),
        parsedRecordContent: marcJsonText(openStored(frames[5]!)),
      });
      expect(JSON.parse(json.parsedRecordContent as string)).toMatchObject({
        fields: [{ '001': 'in5' }],
      });
    });

    it.each([
      [
        'MARCXML under a prefix of its collection',
        '<?xml version="1.0"?><m:collection xmlns:m="http://www.loc.gov/MARC21/slim">',
        '<m:record><m:leader>00000nam a2200000 a 4500</m:leader><m:controlfield tag="001">x1</m:controlfield></m:record>',
        '</m:collection>',
      ],
      ['MARC-in-JSON', '[', '{"leader":"00000nam a2200000 a 4500","fields":[{"001":"x1"}]}', ']'],
    ])('that was refused, out of a file of %s', async (_, before, record, after) => {
      const { jobId: id } = await world.start(Buffer.from(before + record + after));
      const [chunk] = await world.sent.of(id, 1);
      const counts = { created: 0, updated: 0, unchanged: 0, failed: 1, warned: 0 };
      await world.saved(chunk!, {
        counts: { ...counts, byType: {}, warnings: {} },
        errors: [{ o: 0, at: before.length, len: record.length, c: 'PROFILE_TYPE', t: 'B' }],
      });
      const { json } = await incoming(uuidV5(id, 'file:0'));
      expect(json.rawRecordContent).toBe(record);
      expect(JSON.parse(json.parsedRecordContent as string)).toMatchObject({
        fields: [{ '001': 'x1' }],
      });
    });

    it('that was saved, without the field that storing it added', async () => {
      const fields = [['001', 'in0']] as const;
      const stored = marcRecord({ fields: [...fields, ['999', 'ff', { s: idOf(0) }]] });
      world.sent.saved.contents.set(idOf(0), stored);
      const { json } = await incoming(idOf(0));
      expect(json).toEqual({
        id: idOf(0),
        jobExecutionId: jobId,
        recordType: 'MARC_BIB',
        order: 0,
        rawRecordContent: frames[0]!.toString('utf8'),
        parsedRecordContent: marcJsonText(openStored(stored)),
      });
    });

    it('of a job that is known', async () => {
      for (const id of [UNKNOWN_ID, 'x'])
        expect(await incoming(id)).toMatchObject({
          status: 404,
          text: `IncomingRecord by id: '${id}' was not found`,
        });
      const foreign = await world.get(`${LOGS}/incomingRecords/${idOf(2)}`, {
        tenant: OTHER_TENANT,
      });
      expect(foreign.status).toBe(404);
      const stranger = world.sent.saved.add(randomUUID(), 0);
      expect((await incoming(stranger.recordId)).status).toBe(404);
    });
  });

  it('say 503 while source-record-storage is away, and show errors all the same', async () => {
    world.sent.saved.away = true;
    try {
      for (const path of [
        `jobLogEntries/${jobId}`,
        `jobLogEntries/${jobId}/records/${idOf(0)}`,
        `journalRecords/${jobId}`,
        `incomingRecords/${idOf(0)}`,
      ]) {
        const answer = await world.get(`${LOGS}/${path}`);
        expect(answer).toMatchObject({ status: 503, text: 'Service unavailable, retry in 5 s' });
        expect(answer.headers['retry-after']).toBe('5');
      }
      expect(await orders('errorsOnly=true')).toEqual([2, 5, 8]);
      expect((await world.get(`${LOGS}/incomingRecords/${idOf(2)}`)).status).toBe(200);
      expect((await world.get(`${LOGS}/jobSummary/${jobId}`)).status).toBe(200);
    } finally {
      world.sent.saved.away = false;
    }
  });

  it('need their own permissions', async () => {
    for (const path of [
      `jobSummary/${jobId}`,
      `jobLogEntries/${jobId}`,
      `jobLogEntries/${jobId}/records/${idOf(0)}`,
      `journalRecords/${jobId}`,
      `incomingRecords/${idOf(0)}`,
    ])
      expect((await world.get(`${LOGS}/${path}`, { permissions: [] })).status).toBe(403);
  });

  describe('of a file of many chunks', () => {
    const MANY = 2500;
    let large: string;

    beforeAll(async () => {
      const record = frames[0]!;
      const file = Buffer.alloc(MANY * record.length);
      for (let order = 0; order < MANY; order += 1) record.copy(file, order * record.length);
      ({ jobId: large } = await world.start(file));
      const chunks = await world.sent.of(large, 3);
      for (const chunk of chunks) {
        const errors = [0, 10].map((more) => ({
          o: chunk.firstOrder + more,
          at: 0,
          len: record.length,
          c: 'STORE',
        }));
        const none = { updated: 0, unchanged: 0, warned: 0, byType: {}, warnings: {} };
        await world.saved(chunk, {
          counts: { ...none, created: chunk.count - 2, failed: 2 },
          errors,
        });
        for (let more = 0; more < chunk.count; more += 1)
          if (more !== 0 && more !== 10) world.sent.saved.add(large, chunk.firstOrder + more);
      }
    });

    const at = async (query: string): Promise<number[]> =>
      ((await entries(query, large)).json as { entries: Shown[] }).entries.map((entry) =>
        Number(entry.sourceRecordOrder),
      );

    it('find a far offset by its chunk', async () => {
      world.sent.saved.asked.length = 0;
      expect(await at('offset=1999&limit=3')).toEqual([1999, 2000, 2001]);
      expect(world.sent.saved.asked.map((query) => query.from)).toEqual(['1000']);
      world.sent.saved.asked.length = 0;
      expect(await at('offset=1500&limit=2&order=desc')).toEqual([999, 998]);
      expect(world.sent.saved.asked.map((query) => query.from)).toEqual(['999']);
      expect(await at('offset=2490&limit=100')).toHaveLength(10);
    });

    it('are all given to who asks for all', async () => {
      const { json } = await entries('limit=2147483647', large);
      expect(json.totalRecords).toBe(MANY);
      const found = (json.entries as Shown[]).map((entry) => Number(entry.sourceRecordOrder));
      expect(found).toEqual(Array.from({ length: MANY }, (_, order) => order));
      expect(await at('sortBy=error&offset=2493&limit=3')).toEqual([2499, 0, 10]);
      const journal = await world.get(`${LOGS}/journalRecords/${large}?offset=3999&limit=2`);
      expect(
        (journal.json.journalRecords as { sourceRecordOrder: number; actionType: string }[]).map(
          (row) => `${row.sourceRecordOrder} ${row.actionType}`,
        ),
      ).toEqual(['1999 CREATE', '2000 PARSE']);
    });

    it('count only what is still listed once records were removed', async () => {
      const { saved } = world.sent;
      saved.entries = saved.entries.filter(
        (one) => one.snapshotId !== large || one.order < 100 || one.order >= 200,
      );
      const { json } = await entries('offset=1900&limit=1', large);
      expect(json.totalRecords).toBe(MANY - 100);
      expect(Number((json.entries as Shown[])[0]?.sourceRecordOrder)).toBe(2000);
      // Counts stay.
      expect((await world.get(`${LOGS}/jobSummary/${large}`)).json).toMatchObject({
        sourceRecordSummary: { totalCreatedEntities: MANY - 6 },
      });
    });
  });
});

describe('profiles and users of import jobs', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const JOBS = `${LOGS}/jobExecutions`;

  it('are those of ended jobs, each once, by name', async () => {
    const empty = { jobProfilesInfo: [], totalRecords: 0 };
    expect((await world.get(`${JOBS}/jobProfiles`)).json).toEqual(empty);
    const ids = [
      '36a83bc5-9fef-4baa-a36d-7a0f34351dfa',
      'e34d7b92-9b83-11eb-a8b3-0242ac130003',
      'e34d7b92-9b83-11eb-a8b3-0242ac130003',
    ];
    const made = async (profileId: string, ended: boolean): Promise<void> => {
      const body = { sourceType: 'ONLINE', userId: '', jobProfileInfo: { id: profileId } };
      const { json } = await world.ask('POST', '/change-manager/jobExecutions', { body });
      const path = `/change-manager/jobExecutions/${json.parentJobExecutionId}/records`;
      if (ended) await world.ask('DELETE', path);
    };
    for (const id of ids) await made(id, true);
    await made('6eefa4c6-bbf7-4845-ad82-de7fc5abd0e3', false);
    const { json } = await world.get(`${JOBS}/jobProfiles`);
    expect(json).toEqual({
      jobProfilesInfo: [
        {
          id: ids[1],
          name: 'Default - Create instance and SRS MARC Bib',
          dataType: 'MARC',
          hidden: false,
        },
        { id: ids[0], name: 'Quire - Create MARC records', dataType: 'MARC', hidden: false },
      ],
      totalRecords: 2,
    });
    expect(Object.keys(json)[0]).toBe('jobProfilesInfo');
    expect((await world.get(`${JOBS}/jobProfiles?limit=1&offset=1`)).json).toEqual({
      jobProfilesInfo: [json.jobProfilesInfo[1]],
      totalRecords: 2,
    });
    expect((await world.get(`${JOBS}/jobProfiles?limit=x`)).status).toBe(400);
  });

  it('are named, by last and first name, with nothing for what is not known', async () => {
    await world.change(
      `update job_execution set user_last_name = null where tenant_id = $1 and profile_id = $2`,
      ['36a83bc5-9fef-4baa-a36d-7a0f34351dfa'],
    );
    await world.change(
      `update job_execution set user_id = $3, user_first_name = 'Bob', user_last_name = 'aaron' where tenant_id = $1 and profile_id = $2`,
      ['36a83bc5-9fef-4baa-a36d-7a0f34351dfa', UNKNOWN_ID],
    );
    const { json } = await world.get(`${JOBS}/users`);
    expect(json).toEqual({
      jobExecutionUsersInfo: [
        { userId: UNKNOWN_ID, jobUserFirstName: 'Bob', jobUserLastName: 'aaron' },
        {
          userId: '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10',
          jobUserFirstName: 'Ann',
          jobUserLastName: 'Archer',
        },
      ],
      totalRecords: 2,
    });
    await world.change(
      `update job_execution set user_first_name = null where tenant_id = $1 and user_id = $2`,
      [UNKNOWN_ID],
    );
    const again = await world.get(`${JOBS}/users?limit=1`);
    expect(again.json.jobExecutionUsersInfo[0].jobUserFirstName).toBe('');
    expect((await world.get(`${JOBS}/users?offset=-1`)).status).toBe(400);
    for (const path of ['users', 'jobProfiles'])
      expect((await world.get(`${JOBS}/${path}`, { permissions: [] })).status).toBe(403);
  });
});
