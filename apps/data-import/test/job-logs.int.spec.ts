import { randomUUID } from 'node:crypto';
import { uuidV5 } from '@quire/contracts/ids';
import { openStored } from '@quire/marc/iso2709/stored';
import { marcJsonText } from '@quire/marc/marc-json';
import { marcRecord } from '@quire/testing/marc';
import { OTHER_TENANT, TENANT, type Answer, type ImportWorld } from './import-world.js';
import { atOf, COUNT, FAILED, frames, LOGS, useLoggedImport, type Shown } from './logs-world.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
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
describe('the logs of an import', () => {
  const logged = useLoggedImport();
  const { idOf, entries, listed, orders } = logged;
  let world: ImportWorld;
  let jobId: string;

  beforeAll(() => {
    ({ world, jobId } = logged);
  });

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
});
