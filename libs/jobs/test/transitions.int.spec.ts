import { asSystem, readTenant, withTenant } from '@quire/postgres/tenant';
import { verifySchema } from '@quire/postgres/migrate';
import { testDatabase } from '@quire/testing/database';
import { ILLEGAL_TRANSITION } from '../src/transitions.js';
import { ALMA, BERTA, openDesk, TRANSITIONS, type Desk, type Status } from './desk.js';

const SCHEMA = 'transitions_spec';
const STATUSES = Object.keys(TRANSITIONS) as Status[];
const PAIRS = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const));

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk(await testDatabase(), SCHEMA);
});
afterAll(() => desk[Symbol.asyncDispose]());

interface Job {
  readonly id: string;
  readonly status: Status;
  readonly version: string;
}

const run = <R extends object>(sql: string, ...params: unknown[]) =>
  withTenant(desk.source, ALMA, (tx) => tx.query<R>(sql, params));

async function newJob(status: Status = 'NEW'): Promise<string> {
  const [job] = await run<Job>(
    `insert into job_execution (tenant_id, id, status) values ('alma', gen_random_uuid(), $1) returning id`,
    status,
  );
  return job!.id;
}

const become = (id: string, status: Status) =>
  run<Job>(
    'update job_execution set status = $2 where id = $1 returning status, version',
    id,
    status,
  );

const history = (id: string) =>
  run(
    `select version, from_status, to_status, actor from job_transition where job_id = $1 order by version`,
    id,
  );

const sqlState = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error as { code?: string }).code,
  );

describe('the state machine of a job', () => {
  it('has the same rules in the database as in TypeScript', async () => {
    const rows = await asSystem(desk.source, (system) =>
      system.call<{ from_status: Status; to_status: Status }>('select * from job_rule'),
    );
    const rules = rows.map((row) => `${row.from_status} ${row.to_status}`).sort();
    const declared = STATUSES.flatMap((from) => TRANSITIONS[from].map((to) => `${from} ${to}`));
    expect(rules).toEqual(declared.sort());
  });

  it.each(PAIRS.filter(([from, to]) => TRANSITIONS[from].includes(to)))(
    'lets %s become %s',
    async (from, to) => {
      expect(await become(await newJob(from), to)).toEqual([{ status: to, version: '1' }]);
    },
  );

  it.each(PAIRS.filter(([from, to]) => from !== to && !TRANSITIONS[from].includes(to)))(
    'refuses that %s becomes %s',
    async (from, to) => {
      const id = await newJob(from);
      expect(await sqlState(become(id, to))).toBe(ILLEGAL_TRANSITION);
      expect(await run('select status from job_execution where id = $1', id)).toEqual([
        { status: from },
      ]);
    },
  );

  it('counts the version up by one with every transition, whatever the update says', async () => {
    const id = await newJob();
    await run(`update job_execution set status = 'RUNNING', version = 77 where id = $1`, id);
    expect(await become(id, 'DONE')).toEqual([{ status: 'DONE', version: '2' }]);
  });

  it('leaves version and history alone when something else changes', async () => {
    const id = await newJob();
    const [job] = await run<Job>(
      `update job_execution set status = 'NEW', note = 'x' where id = $1 returning version`,
      id,
    );
    expect(job).toEqual({ version: '0' });
    expect(await history(id)).toEqual([]);
  });

  it('keeps who did which transition, and nobody can change that', async () => {
    const id = await newJob();
    await become(id, 'RUNNING');
    await become(id, 'FAILED');
    const actor = ALMA.actorId;
    const kept = [
      { version: '1', from_status: 'NEW', to_status: 'RUNNING', actor },
      { version: '2', from_status: 'RUNNING', to_status: 'FAILED', actor },
    ];
    expect(await history(id)).toEqual(kept);
    for (const sql of [
      `update job_transition set actor = 'x'`,
      'delete from job_transition',
      'delete from job_rule',
      `insert into job_rule values ('DONE', 'NEW')`,
    ])
      expect(await sqlState(run(sql))).toBe('42501');
    await run('delete from job_execution where id = $1', id);
    expect(await history(id)).toEqual(kept);
  });

  it('keeps the history of a tenant to itself', async () => {
    await become(await newJob(), 'RUNNING');
    const rows = await readTenant(desk.source, BERTA, (tx) => tx.query('table job_transition'));
    expect(rows).toEqual([]);
  });

  it('is walled in as a schema must be', async () => {
    await expect(verifySchema(desk.source, SCHEMA)).resolves.toBeUndefined();
  });
});
