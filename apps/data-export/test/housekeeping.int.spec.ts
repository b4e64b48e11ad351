import { setTimeout as delay } from 'node:timers/promises';
import { ExportDeleted } from '@quire/contracts/data-export';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DEFAULT_PROFILE, ExportWorld, idOf, TENANT, USER } from './export-world.js';

const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const JOBS = '/data-export/job-executions';

describe('housekeeping of data-export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  let aheadMs: number;
  const scope = { tenantId: TENANT, actorId: USER };
  const source = () => {
    const found = world.isolated.sources.get('data-export');
    if (!found) throw new Error('no source');
    return found;
  };
  const write = (sql: string, ...params: unknown[]): Promise<number> =>
    withTenant(source(), scope, (tx) => tx.execute(sql, params));
  const count = async (table: string): Promise<number> => {
    const sql = `select count(*)::int as n from ${table}`;
    const row = await readTenant(source(), scope, (tx) => tx.one<{ n: number }>(sql));
    return row?.n ?? 0;
  };
  const objects = async (): Promise<number> => {
    const keys = new Set<string>();
    for await (const { key } of world.isolated.store.list('export', TENANT)) keys.add(key.uuid);
    return keys.size;
  };
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 3000; tries += 1) {
      if (await holds()) return;
      await delay(10);
    }
    throw new Error('It does not come to pass.');
  };
  const definition = (id: string) => world.ask('GET', `/data-export/file-definitions/${id}`);
  /** Runs on paper: nobody works on it. */
  const orphaned = async (): Promise<string> => {
    const { jobExecutionId: id } = await world.uploaded(`${idOf(0)}\njunk`);
    await write(
      `update job_execution set status = 'IN_PROGRESS', last_updated = $2, exported = 1 where id = $1`,
      id,
      new Date(Date.now() + aheadMs),
    );
    return id;
  };

  beforeEach(async () => {
    aheadMs = 0;
    database = await testDatabase();
    world = await ExportWorld.start(
      database.url,
      {},
      { now: () => new Date(Date.now() + aheadMs) },
    );
    world.has([idOf(0)]);
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  describe('deletes jobs', () => {
    it('with log rows, ids, slices, upload and objects, and tells it', async () => {
      const job = await world.exported(`${idOf(0)}\njunk\n${idOf(0)}`);
      const other = await world.exported(idOf(0));
      const link = await world.ask(
        'GET',
        `${JOBS}/${job.id}/download/${job.exportedFiles?.[0]?.fileId ?? ''}`,
      );
      await world.isolated.settled();
      const [before, rest] = [await objects(), await count('job_transition')];
      expect(await world.ask('DELETE', `${JOBS}/${job.id}`)).toMatchObject({
        status: 204,
        text: '',
      });
      expect((await world.ask('GET', `${JOBS}/${job.id}`)).status).toBe(404);
      expect(await world.logs(job.id)).toEqual([]);
      for (const table of ['job_execution', 'slice', 'export_id', 'file_definition'])
        expect([table, await count(table)]).toEqual([table, 1]);
      for (const table of ['export_line', 'export_outcome', 'error_log'])
        expect([table, await count(table)]).toEqual([table, 0]);
      expect(await count('job_transition')).toBe(rest);
      const gone = await world.follow((link.json as { link: string }).link);
      expect(gone.status).toBe(404);
      await until(async () => (await objects()) === before - 2);
      expect((await world.file(other)).length).toBeGreaterThan(0);
    });

    it('and says so in public, once', async () => {
      const told: object[] = [];
      world.isolated.bus.subscribe({
        group: 'data-import',
        types: [ExportDeleted.type],
        handle: ({ payload }) => Promise.resolve(void told.push(JSON.parse(payload) as object)),
        giveUp: () => Promise.resolve(),
      });
      const job = await world.exported(idOf(0));
      await world.ask('DELETE', `${JOBS}/${job.id}`);
      await world.ask('DELETE', `${JOBS}/${job.id}`);
      await until(() => Promise.resolve(told.length > 0));
      await world.isolated.settled();
      const { id: jobExecutionId, hrId } = job;
      expect(told).toEqual([
        { tenantId: TENANT, jobExecutionId, jobVersion: 3, hrId, userId: USER },
      ]);
    });

    it('that were never started, and keeps the upload of one that others were made of', async () => {
      const { id, jobExecutionId } = await world.uploaded('junk');
      expect((await world.ask('DELETE', `${JOBS}/${jobExecutionId}`)).status).toBe(204);
      expect((await definition(id)).status).toBe(404);
      const failed = await world.exported('junk');
      const again = await world.ask('POST', '/data-export/export', {
        body: {
          fileDefinitionId: await fileOf(failed.id),
          jobProfileId: DEFAULT_PROFILE,
        },
      });
      const second = again.headers.get('x-job-execution-id') ?? '';
      await world.ended(second);
      expect(second).not.toBe(failed.id);
      expect((await world.ask('DELETE', `${JOBS}/${failed.id}`)).status).toBe(204);
      expect(await count('export_line')).toBe(1);
      expect((await world.ask('DELETE', `${JOBS}/${second}`)).status).toBe(204);
      expect(await count('export_line')).toBe(0);
      expect(await count('file_definition')).toBe(0);
    });

    it('but no running one, no unknown one, and none with an id that is none', async () => {
      const id = await orphaned();
      expect(await world.ask('DELETE', `${JOBS}/${id}`)).toMatchObject({
        status: 400,
        text: `Fail to delete jobExecution with id ${id}, status is IN_PROGRESS`,
      });
      expect(await world.ask('DELETE', `${JOBS}/${UNKNOWN}`)).toMatchObject({
        status: 404,
        text: `JobExecution with id '${UNKNOWN}' was not found`,
      });
      expect(await world.ask('DELETE', `${JOBS}/x`)).toMatchObject({
        status: 400,
        text: expect.stringMatching(/^Invalid UUID format of id/),
      });
    });

    const fileOf = async (jobId: string): Promise<string> => {
      const sql = 'select id from file_definition where job_id = $1';
      const row = await readTenant(source(), scope, (tx) => tx.one<{ id: string }>(sql, [jobId]));
      return row?.id ?? '';
    };
  });

  describe('expires jobs', () => {
    const expire = (ask: object = {}) => world.ask('POST', '/data-export/expire-jobs', ask);

    it('that were idle for an hour: counts and earlier rows stay, one row is added', async () => {
      aheadMs = 1000;
      const id = await orphaned();
      await write(
        `insert into error_log (tenant_id, id, job_id, created_at, level, code, message_values, actor)
         values ($1, $2, $3, now(), 'ERROR', 'error.genericError', '{}', $4)`,
        ...[TENANT, idOf(9), id, USER],
      );
      aheadMs += HOUR_MS - 60_000;
      expect(await expire()).toMatchObject({ status: 204, text: '' });
      expect((await world.job(id)).status).toBe('IN_PROGRESS');
      aheadMs += 61_000;
      await expire();
      const job = await world.job(id);
      expect(job).toMatchObject({ status: 'FAIL', progress: { exported: 1, failed: 1, total: 2 } });
      expect(job.completedDate).toBeDefined();
      expect(await world.logs(id)).toEqual([
        { code: 'error.genericError', level: 'ERROR', values: [] },
        {
          code: 'error.messagePlaceholder',
          level: 'ERROR',
          values: ['Job was expired: no updates for more than 1 hour'],
        },
      ]);
    });

    it('not when a slice of theirs still waits', async () => {
      const id = await orphaned();
      await write(
        `insert into slice (tenant_id, job_id, slice_no, from_ordinal, to_ordinal, ids) values ($1, $2, 7, 1, 1, 0)`,
        TENANT,
        id,
      );
      // Nobody may let it out meanwhile.
      await write(`update slice set state = 'RELEASED', run_at = now() + interval '1 day'`);
      aheadMs = 2 * HOUR_MS;
      await expire();
      expect((await world.job(id)).status).toBe('IN_PROGRESS');
    });

    it('not after a long time away: workers get the time to come back', async () => {
      const id = await orphaned();
      await write(`update job_execution set last_updated = now() - interval '1 day'`);
      await expire();
      expect((await world.job(id)).status).toBe('IN_PROGRESS');
    });

    it('whatever body the call has', async () => {
      for (const [bytes, type] of [
        ['{"a":', 'application/json'],
        ['x', 'text/plain'],
      ] as const)
        for (const path of ['expire-jobs', 'clean-up-files'])
          expect(
            await world.ask('POST', `/data-export/${path}`, {
              bytes,
              headers: { 'content-type': type, 'content-length': String(bytes.length) },
            }),
          ).toMatchObject({ status: 204, text: '' });
    });
  });

  describe('cleans up uploads', () => {
    const cleanUp = () => world.ask('POST', '/data-export/clean-up-files');

    it('of a day ago with a job that was never started', async () => {
      const { id, jobExecutionId } = await world.uploaded(`${idOf(0)}\njunk`);
      aheadMs = DAY_MS - 60_000;
      await cleanUp();
      expect((await definition(id)).status).toBe(200);
      aheadMs = DAY_MS + 1000;
      expect(await cleanUp()).toMatchObject({ status: 204, text: '' });
      expect(await definition(id)).toMatchObject({
        status: 404,
        text: `File definition not found with id ${id}`,
      });
      expect((await world.ask('GET', `${JOBS}/${jobExecutionId}`)).status).toBe(404);
      for (const table of ['export_id', 'export_line'])
        expect([table, await count(table)]).toEqual([table, 0]);
      await until(async () => (await objects()) === 0);
      const body = { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE };
      expect(await world.ask('POST', '/data-export/export', { body })).toMatchObject({
        status: 400,
        text: `File definition not found with id ${id}`,
      });
    });

    it('and definitions that nobody uploaded to', async () => {
      const body = { fileName: 'never.csv' };
      const made = await world.ask('POST', '/data-export/file-definitions', { body });
      aheadMs = DAY_MS + 1000;
      await cleanUp();
      expect((await definition(made.json.id as string)).status).toBe(404);
    });

    it('but leaves jobs that have ended, with their outputs', async () => {
      const job = await world.exported(`${idOf(0)}\njunk`);
      aheadMs = DAY_MS + 1000;
      await cleanUp();
      expect(await count('file_definition')).toBe(0);
      await until(async () => (await objects()) === 1);
      expect(await world.job(job.id)).toMatchObject({ status: 'COMPLETED_WITH_ERRORS' });
      expect((await world.file(job)).length).toBeGreaterThan(0);
      expect(await count('export_line')).toBe(1);
    });

    it('not of a job that runs, and misses no bytes that are gone', async () => {
      const id = await orphaned();
      const { id: other } = await world.uploaded('junk');
      for await (const { key } of world.isolated.store.list('export', TENANT))
        await world.isolated.store.remove(key);
      aheadMs = DAY_MS + 1000;
      expect((await cleanUp()).status).toBe(204);
      expect((await definition(other)).status).toBe(404);
      expect(await count('file_definition')).toBe(1);
      expect((await world.job(id)).status).toBe('IN_PROGRESS');
    });
  });

  describe('keeps what a tenant wants kept', () => {
    const keep = (key: string, value: number) =>
      world.ask('PUT', `/data-export/settings/${key}`, { body: { value } });

    beforeEach(async () => {
      await world[Symbol.asyncDispose]();
      world = await ExportWorld.start(
        database.url,
        { retentionEveryMs: 20 },
        { now: () => new Date(Date.now() + aheadMs) },
      );
      world.has([idOf(0)]);
    });

    it('of outputs: the job stays with its numbers, its file is gone', async () => {
      const job = await world.exported(idOf(0));
      const download = `${JOBS}/${job.id}/download/${job.exportedFiles?.[0]?.fileId ?? ''}`;
      await keep('outputRetentionDays', 2);
      expect((await world.ask('GET', download)).status).toBe(200);
      aheadMs = 2 * DAY_MS + 1000;
      await until(async () => (await world.ask('GET', download)).status === 404);
      expect((await world.ask('GET', download)).text).toMatch(
        /^Export File with id: .* not found:$/,
      );
      // The upload is the other one.
      await until(async () => (await objects()) === 1);
      expect(await world.job(job.id)).toMatchObject({ status: 'COMPLETED', id: job.id });
    });

    it('of jobs: with their logs, once they have ended', async () => {
      const old = await world.exported('junk');
      const { jobExecutionId: waiting } = await world.uploaded('junk');
      await keep('jobRetentionDays', 1);
      aheadMs = DAY_MS - 60_000;
      const young = await world.ask('GET', `${JOBS}/${old.id}`);
      expect(young.status).toBe(200);
      aheadMs = DAY_MS + 1000;
      await until(async () => (await world.ask('GET', `${JOBS}/${old.id}`)).status === 404);
      expect(await world.logs(old.id)).toEqual([]);
      expect((await world.job(waiting)).status).toBe('NEW');
    });
  });
});
