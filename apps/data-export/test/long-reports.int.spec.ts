import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Reports } from '../src/usecases/job-reports.js';
import { ExportWorld, idsOf, TENANT, USER, type Job } from './export-world.js';

/** More lines than are read at a time, of every kind in turns. */
const TURNS = 400;

describe('a long report by line', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  let job: Job;
  const scope = { tenantId: TENANT, actorId: USER };
  const reports = (): Reports => {
    const service = world.isolated.services.get('data-export');
    if (!service) throw new Error('no service');
    return service.app.get(Reports);
  };
  const inTransaction = async (): Promise<unknown[]> => {
    const rows = await world.isolated.sources.get('data-export')?.query<unknown[]>(
      `select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and state like 'idle in transaction%' and query ~ 'export_(line|outcome)'`,
    );
    return rows ?? [];
  };

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    const [good = '', ...missing] = idsOf(TURNS + 1);
    world.has([good]);
    job = await world.exported(
      [good, ...missing.flatMap((id, n) => [`junk ${n}`, id, good])].join('\n'),
    );
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('has every line once, in their order', async () => {
    const report = await world.ask('GET', `/data-export/job-executions/${job.id}/errors.csv`);
    const rows = report.text.trimEnd().split('\n').slice(1);
    expect(rows.map((row) => Number(row.split(',')[0]))).toEqual(
      Array.from({ length: 3 * TURNS }, (_, n) => n + 2),
    );
    const classes = rows.map((row) => /,(INVALID|NOT_FOUND|DUPLICATED),/.exec(row)?.[1]);
    expect(classes).toEqual(
      Array.from({ length: TURNS }, () => ['INVALID', 'NOT_FOUND', 'DUPLICATED']).flat(),
    );
    expect(rows.at(-1)).toContain(`repeated ${TURNS + 1} times`);
  });

  it('keeps no transaction open while its reader takes its time', async () => {
    const pieces = await reports().errorReport(scope, job.id);
    await pieces.next();
    await pieces.next();
    expect(await inTransaction()).toEqual([]);
    await pieces.return(undefined);
  });

  it('breaks off when its job is deleted, and does not look whole', async () => {
    const pieces = await reports().errorReport(scope, job.id);
    await pieces.next();
    await pieces.next();
    await world.ask('DELETE', `/data-export/job-executions/${job.id}`);
    await expect(pieces.next()).rejects.toThrow('job-execution not found');
  });
});
