import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  gate,
  idOf,
  idsOf,
  recordOf,
  TENANT,
  until,
} from './export-world.js';

const QUERY = '/internal/instance-ids';
const HOLDINGS_PROFILE = '5e9835fc-0e51-44c8-8a47-f7b8fce35da7';
const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
const EMPTY = { exported: 0, failed: 0, total: 0 };
const REFUSED = {
  status: 400,
  text: `unable to list instance-ids -- malformed parameter 'query', syntax error at column 7: unknown index`,
};

describe('an export whose ids are to be found', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  const ids = idsOf(4);

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has(ids);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });
  beforeEach(() => {
    world.sources.lists.length = 0;
    world.sources.list = () => Promise.resolve(ids);
  });

  const post = (path: string, body?: unknown) =>
    world.ask('POST', `/data-export/${path}`, body === undefined ? {} : { body });
  const quick = async (request: object) => {
    const answer = await post('quick-export', { type: 'cql', recordType: 'INSTANCE', ...request });
    return (answer.json as { jobExecutionId: string }).jobExecutionId;
  };
  const codes = async (jobId: string) => (await world.logs(jobId)).map((log) => log.code);
  const textOf = (...wanted: readonly string[]) => wanted.map((id) => recordOf(id)).join('');

  describe('by a query', () => {
    it('gives the records in the order of the hits, as they are counted', async () => {
      world.sources.list = () => Promise.resolve([idOf(2), UNKNOWN, idOf(0)]);
      const query = '\n title = nod\n sortby title \n';
      const job = await world.exported(query, {}, { fileName: 'my query.cql' });
      expect(job).toMatchObject({
        status: 'COMPLETED_WITH_ERRORS',
        progress: { exported: 2, failed: 1, total: 3 },
      });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`my query-${job.hrId}.mrc`);
      expect((await world.file(job)).toString()).toBe(textOf(idOf(2), idOf(0)));
      expect(world.sources.lists).toEqual([
        {
          path: QUERY,
          tenantId: TENANT,
          body: { query: query.trim(), recordType: 'INSTANCE' },
        },
      ]);
      expect(await world.rows('select from id_selection')).toEqual([]);
    });

    it('answers at once and is in progress while ids are looked for', async () => {
      const held = gate();
      world.sources.list = async () => {
        await held.opened;
        return ids;
      };
      const jobId = await quick({ criteria: 'title = nod', fileName: 'q.cql' });
      await until(() => world.sources.lists.length > 0);
      expect(await world.job(jobId)).toMatchObject({ status: 'IN_PROGRESS', progress: EMPTY });
      held.open();
      const job = await world.ended(jobId);
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 4, total: 4 } });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`q-${job.hrId}.mrc`);
    });

    it.each([
      ['HOLDINGS', { jobProfileId: HOLDINGS_PROFILE }, undefined],
      ['AUTHORITY', {}, 'AUTHORITY'],
      ['ITEM', {}, 'INSTANCE'],
    ])('of %s asks for its type', async (recordType, more, asked) => {
      const job = await world.ended(await quick({ recordType, criteria: 'id=*', ...more }));
      expect(world.sources.lists.map((one) => one.body['recordType'])).toEqual(
        asked === undefined ? [] : [asked],
      );
      expect(job.status).toBe(asked === undefined ? 'FAIL' : 'COMPLETED');
      if (asked !== undefined) return;
      expect(job.progress).toEqual(EMPTY);
      expect(await world.logs(job.id)).toEqual([
        {
          code: 'error.uploadedFile.invalidExtension',
          level: 'ERROR',
          values: ['Only csv format is supported for holdings export'],
        },
      ]);
    });

    it.each([
      ['is none', 'title = (', [], 'error.invalidCqlSyntax', ['q.csv', '10']],
      ['is not understood', 'titel = a', REFUSED, 'error.invalidCqlSyntax', ['q.csv', '7']],
      ['finds nothing', 'title = a', [], 'error.readingFromInputFile', []],
      ['is empty', ' \n ', [], 'error.readingFromInputFile', []],
    ] as const)('that %s ends FAIL', async (_, query, answer, code, values) => {
      world.sources.list = () => Promise.resolve(answer);
      const job = await world.exported(query, {}, { fileName: 'q.cql' });
      expect(job).toMatchObject({ status: 'FAIL', progress: EMPTY });
      expect(job['completedDate']).toBeDefined();
      expect(await world.logs(job.id)).toEqual([{ code, level: 'ERROR', values }]);
    });

    it('waits while the other side is away or breaks off, and takes each id once', async () => {
      const answers = ['busy', 'cut', ids] as const;
      let calls = 0;
      world.sources.list = () => Promise.resolve(answers[calls++] ?? ids);
      const job = await world.ended(await quick({ criteria: 'title = nod' }));
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 4, total: 4 } });
      expect(calls).toBe(3);
    });

    it('ends FAIL when the other side does not come back', async () => {
      world.sources.list = () => Promise.resolve('busy');
      const jobId = await quick({ criteria: 'title = nod' });
      // As after twenty pauses.
      await world.change('update id_selection set waits = 20, run_at = now()');
      const job = await world.ended(jobId);
      expect(job).toMatchObject({ status: 'FAIL', progress: EMPTY });
      expect(await codes(jobId)).toEqual(['error.inventory.gettingInstancesByIds']);
    });

    it('is looked up anew by the job after a FAIL, which leaves the first one as it is', async () => {
      world.sources.list = () => Promise.resolve([UNKNOWN]);
      const { id } = await world.uploaded('title = nod', { definition: { fileName: 'q.cql' } });
      const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE };
      const first = await post('export', body);
      const failed = await world.ended(first.headers.get('x-job-execution-id') ?? '');
      expect(failed).toMatchObject({ status: 'FAIL', progress: { failed: 1, total: 1 } });
      world.sources.list = () => Promise.resolve(ids);
      const second = await post('export', body);
      const job = await world.ended(second.headers.get('x-job-execution-id') ?? '');
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 4, total: 4 } });
      expect((await world.job(failed.id)).progress).toEqual(failed.progress);
      expect((await world.logs(failed.id))[0]?.values).toEqual([UNKNOWN]);
    });

    it('of a worker that is thought dead is done again, and the first one adds nothing', async () => {
      const gates = [gate(), gate()];
      let calls = 0;
      world.sources.list = async () => {
        const call = calls;
        calls += 1;
        await gates[call]?.opened;
        return call === 0 ? idsOf(3, 900) : ids;
      };
      const jobId = await quick({ criteria: 'title = nod' });
      await until(() => calls === 1);
      await world.change(`update id_selection set lease_until = now() - interval '1 s'`);
      await until(() => calls === 2);
      gates[0]?.open();
      gates[1]?.open();
      const job = await world.ended(jobId);
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 4, total: 4 } });
      expect((await world.file(job)).toString()).toBe(textOf(...ids));
    });

    it('may find more ids than one slice has', async () => {
      const many = idsOf(12_000, 10_000);
      world.has(many.slice(0, 2));
      world.sources.list = () => Promise.resolve(many);
      const job = await world.ended(await quick({ criteria: 'title = nod' }));
      expect(job.progress).toEqual({ exported: 2, failed: 11_998, total: 12_000 });
      const rows = await world.rows(`select ids from slice where job_id = '${job.id}' order by 1`);
      expect(rows).toEqual([{ ids: 2000 }, { ids: 10_000 }]);
    });
  });

  describe('of everything', () => {
    const all = async (body: object) => {
      const answer = await post('export-all', body);
      expect(answer).toMatchObject({ status: 204, text: '' });
      const jobId = answer.headers.get('x-job-execution-id') ?? '';
      expect(answer.headers.get('location')).toBe(`/api/data-export/job-executions/${jobId}`);
      return world.ended(jobId);
    };

    it.each([
      [{}, 'instance', 'INSTANCE', 'cql.allRecords=1 not discoverySuppress==true', 'include'],
      [
        { idType: 'holding', deletedRecords: false },
        'holding',
        'HOLDING',
        'cql.allRecords=1 not discoverySuppress==true',
        'exclude',
      ],
      [
        { idType: 'instance', suppressedFromDiscovery: true },
        'instance',
        'INSTANCE',
        'cql.allRecords=1',
        'include',
      ],
      [{ idType: 'authority' }, 'authority', 'AUTHORITY', 'cql.allRecords=1', 'include'],
    ])('%j takes all of a type', async (body, base, recordType, query, deleted) => {
      const job = await all(body);
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 4, total: 4 } });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`${base}-all-${job.hrId}.mrc`);
      expect(world.sources.lists.map((one) => one.body)).toEqual([{ query, recordType, deleted }]);
    });

    it('takes the profile that is asked for', async () => {
      const jobProfileId = await world.profile({ suppress999ff: true });
      const job = await all({ jobProfileId });
      expect(job).toMatchObject({ status: 'COMPLETED', jobProfileId });
      expect((await world.file(job)).toString()).not.toContain(ids[0]);
      expect(await post('export-all', { jobProfileId: UNKNOWN })).toMatchObject({
        status: 400,
        text: `JobProfile not found with id ${UNKNOWN}`,
      });
    });

    it('of nothing ends FAIL', async () => {
      world.sources.list = () => Promise.resolve([]);
      const job = await all({});
      expect(job).toMatchObject({ status: 'FAIL', progress: EMPTY });
      expect(await codes(job.id)).toEqual(['error.readingFromInputFile']);
    });

    it.each([
      [{ idType: 'item' }, 422],
      [{ deletedRecords: 'perhaps' }, 422],
      [{ more: 1 }, 422],
      ['{', 400],
      ['', 400],
    ])('is refused as %j', async (body, status) => {
      expect((await post('export-all', body)).status).toBe(status);
    });
  });

  describe('of deleted bibliographic records', () => {
    const deleted = (body?: unknown) => post('export-deleted', body);

    it('searches the days by MARC field 005', async () => {
      const answer = await deleted({ from: '2024-01-01', to: '2024-01-31' });
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.json)).toEqual(['jobExecutionId']);
      const job = await world.ended(answer.json.jobExecutionId);
      expect(job).toMatchObject({
        status: 'COMPLETED',
        jobProfileId: DEFAULT_PROFILE,
        progress: { exported: 4, total: 4 },
      });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`deleted-marc-bib-records-${job.hrId}.mrc`);
      expect(world.sources.lists).toEqual([
        {
          path: '/source-storage/stream/marc-record-identifiers',
          tenantId: TENANT,
          body: {
            leaderSearchExpression: "p_05 = 'd'",
            fieldsSearchExpression: "005.date from '20240101' and 005.date to '20240131'",
            deleted: true,
          },
        },
      ]);
    });

    it.each([[undefined], [{}]])('without days takes yesterday: %j', async (body) => {
      const answer = await deleted(body);
      expect(answer.status).toBe(200);
      await world.ended(answer.json.jobExecutionId);
      expect(world.sources.lists[0]?.body['fieldsSearchExpression']).toMatch(
        /^005\.date from '(\d{8})' and 005\.date to '\1'$/,
      );
    });

    it('names the call that cannot be made', async () => {
      world.sources.list = () => Promise.resolve({ status: 404, text: 'Not found' });
      const { json } = await deleted({});
      await until(async () => {
        await world.change('update id_selection set run_at = now()');
        return (await world.job(json.jobExecutionId)).status === 'FAIL';
      });
      expect(await codes(json.jobExecutionId)).toEqual(['error.callingUri']);
    });

    it.each([
      ['{', 400, 'Invalid date format for payload'],
      [
        { from: '2024-02-01', to: '2024-01-31' },
        400,
        `Invalid date range for payload: date 'from' cannot be after date 'to'.`,
      ],
    ])('is refused as %j', async (body, status, text) => {
      expect(await deleted(body)).toMatchObject({ status, text });
    });

    it.each(['2024-02-30', '01.02.2024', '2024-01-01T00:00:00Z', 20240101])(
      'is refused for a day that is none: %j',
      async (from) => {
        const answer = await deleted({ from });
        expect(answer.status).toBe(422);
        expect(answer.json.errors[0]).toMatchObject({
          message: 'must be a date',
          parameters: [{ key: 'from', value: String(from) }],
        });
      },
    );
  });

  describe('of deleted authorities', () => {
    const deleted = (body?: unknown) => post('export-authority-deleted', body);

    it('takes the part of them that is asked for', async () => {
      world.sources.list = () => Promise.resolve(idsOf(12_000));
      for (const id of idsOf(6))
        world.sources.records.set(`${TENANT}:${id}`, { bytes: recordOf(id), deleted: true });
      const { json } = await deleted({ query: 'hrid=a*', limit: 2, offset: 3 });
      const job = await world.ended(json.jobExecutionId);
      expect(job).toMatchObject({
        status: 'COMPLETED',
        jobProfileName: 'Deleted authority export job profile',
        progress: { exported: 2, failed: 0, total: 2 },
      });
      expect(job.exportedFiles?.[0]?.fileName).toBe(`deleted-authority-records-${job.hrId}.mrc`);
      expect((await world.file(job)).toString()).toBe(textOf(idOf(3), idOf(4)));
      expect(world.sources.lists.map((one) => one.body)).toEqual([
        { query: 'hrid=a*', recordType: 'AUTHORITY', deleted: 'only' },
      ]);
      world.has(idsOf(6));
    });

    it('takes the first hundred without a word', async () => {
      world.sources.list = () => Promise.resolve(idsOf(300, 20_000));
      const answer = await deleted();
      expect(answer.status).toBe(200);
      const job = await world.ended(answer.json.jobExecutionId);
      expect(job.progress).toEqual({ exported: 0, failed: 100, total: 100 });
    });

    it.each([
      ['{', 400, 'Invalid date format for payload'],
      [
        { query: 'titel=a' },
        400,
        `unable to list export-authority-deleted -- malformed parameter 'query', syntax error at column 1: unknown index 'titel'`,
      ],
      [
        { query: '(' },
        400,
        `unable to list export-authority-deleted -- malformed parameter 'query', syntax error at column 2: `,
      ],
    ])('is refused as %j', async (body, status, text) => {
      const answer = await deleted(body);
      expect(answer.status).toBe(status);
      expect(answer.text.slice(0, text.length)).toBe(text);
    });

    it.each([{ limit: 2001 }, { limit: -1 }, { offset: -1 }, { more: 1 }])(
      'is refused as %j with 422',
      async (body) => {
        expect((await deleted(body)).status).toBe(422);
      },
    );
  });
});
