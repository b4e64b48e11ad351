import { fileURLToPath } from 'node:url';
import { SERVICES } from '@quire/contracts/scope';
import { Fleet } from '@quire/testing/fleet';
import { lab } from '@quire/testing/lab/config';
import { KafkaBroker } from '@quire/testing/lab/kafka-broker';
import { generateMarc } from '@quire/testing/marc';
import { PostgresProxy } from '@quire/testing/postgres-proxy';
import { importEnds, startImport, until } from './src/steps.js';
import { Site, type Person } from './src/world.js';

/*
 * A fleet that starts before its broker, whose broker loses its disk, whose database is killed, and a process whose database
 * goes away while it starts (reliability, F8, F10, F18). One replica of each service: what is looked at is what the processes do
 * about the engines.
 */
const MAIN = fileURLToPath(new URL('../quire/dist/src/main.js', import.meta.url));
const CHUNK_RECORDS = 1000;
/** Chunks pass one at a time, and what is not answered is soon sent again. */
const SETTINGS = { WINDOW_JOB: '1', QUIRE_IMPORT_SWEEP_MS: '500', QUIRE_IMPORT_RESEND_MS: '3000' };

interface Chunk {
  readonly state: string;
  readonly attempt: number;
}

(lab.engines && lab.s3 ? describe : describe.skip)('a fleet with engines that fail', () => {
  let broker: KafkaBroker;
  let fleet: Fleet;
  let site: Site;
  let admin: Person;
  /** Read at each start. */
  const financeSettings: Record<string, string> = {};

  beforeAll(async () => {
    if (!lab.engines || !lab.s3) return;
    broker = await KafkaBroker.open(lab.engines);
    const kafka = { brokers: [broker.address] };
    const settings = { main: MAIN, kafka, s3: lab.s3, settings: SETTINGS };
    fleet = await Fleet.open({ ...settings, settingsOf: { 'finance-storage': financeSettings } });
    site = new Site(fleet.url);
  }, 300_000);

  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
  }, 60_000);

  const readiness = () => Promise.all(SERVICES.map((service) => fleet.readiness(service)));
  const chunksOf = (jobId: string) =>
    fleet.query<Chunk>(
      'select state, attempt from data_import.job_chunk where job_id = $1 order by chunk_no',
      [jobId],
    );
  /** How many rows there are of the records of an import, and how many records. */
  const recordsOf = async (jobId: string): Promise<readonly number[]> => {
    const [found] = await fleet.query<{ rows: number; records: number }>(
      `select count(*)::int as rows, count(distinct record_order)::int as records
       from source_record_storage.record where snapshot_id = $1`,
      [jobId],
    );
    return [found?.rows ?? 0, found?.records ?? 0];
  };
  /** The id of an import of so many chunks, of which one is on its way. */
  const importInTheMiddle = async (seed: number, chunks: number): Promise<string> => {
    const jobId = await startImport(admin, file(seed, chunks));
    await until(
      () => chunksOf(jobId),
      (all) => all.some(({ state }) => state === 'RELEASED'),
    );
    return jobId;
  };
  const file = (seed: number, chunks: number): Buffer =>
    Buffer.concat([...generateMarc(seed, chunks * CHUNK_RECORDS, seed * 100_000)]);

  it('starts without its broker, serves requests, keeps an import, and ends it when the broker comes', async () => {
    await broker.stop();

    await fleet.startAll();

    expect(await readiness()).toEqual(
      SERVICES.map((): unknown =>
        expect.objectContaining({
          httpStatus: 200,
          status: 'DEGRADED',
          checks: expect.objectContaining({
            postgres: 'UP',
            kafka: expect.stringMatching(/^DOWN/) as unknown,
          }) as unknown,
        }),
      ),
    );
    admin = await site.as('library', 'admin', fleet.password);
    const jobId = await startImport(admin, file(1, 2));
    await until(
      () => chunksOf(jobId),
      (chunks) => chunks[0]?.state === 'RELEASED',
    );
    expect(await admin.get(`/change-manager/jobExecutions/${jobId}`)).toMatchObject({
      status: 'PARSING_IN_PROGRESS',
      progress: { current: 0 },
    });

    await broker.start();

    expect(await importEnds(admin, jobId)).toMatchObject({ status: 'COMMITTED' });
    expect(await recordsOf(jobId)).toEqual([2 * CHUNK_RECORDS, 2 * CHUNK_RECORDS]);
    await until(readiness, (all) => all.every(({ status }) => status === 'UP'));
  }, 300_000);

  it('sends again what stood on a broker that lost its disk, and ends the import with each record once', async () => {
    fleet.freeze('source-record-storage');
    const jobId = await importInTheMiddle(2, 3);
    await until(
      () => fleet.query('select from data_import.outbox'),
      (events) => events.length === 0,
    );

    await broker.stop();
    await broker.wipe();
    await broker.start();
    await fleet.migrate();
    fleet.continue('source-record-storage');

    expect(await importEnds(admin, jobId)).toMatchObject({ status: 'COMMITTED' });
    expect((await chunksOf(jobId))[0]?.attempt).toBeGreaterThan(1);
    expect(await recordsOf(jobId)).toEqual([3 * CHUNK_RECORDS, 3 * CHUNK_RECORDS]);
    await until(readiness, (all) => all.every(({ status }) => status === 'UP'));
  }, 180_000);

  it('is unready while PostgreSQL is killed in the middle of an import, then ready by itself, and has each record once', async () => {
    const pids = SERVICES.map((service) => fleet.pid(service));
    // Who saves the records stands still until nothing can be saved: the kill falls into the middle, however fast it is.
    fleet.freeze('source-record-storage');
    const jobId = await importInTheMiddle(3, 6);
    expect((await chunksOf(jobId)).some(({ state }) => state !== 'DONE')).toBe(true);

    await fleet.stopDatabase('SIGKILL');
    fleet.continue('source-record-storage');

    await until(readiness, (all) =>
      all.every(({ httpStatus, status }) => httpStatus === 503 && status === 'DOWN'),
    );
    const answer = await admin.send('GET', `/change-manager/jobExecutions/${jobId}`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);

    await fleet.startDatabase();

    await until(readiness, (all) => all.every(({ status }) => status === 'UP'));
    expect(await importEnds(admin, jobId)).toMatchObject({ status: 'COMMITTED' });
    expect(await recordsOf(jobId)).toEqual([6 * CHUNK_RECORDS, 6 * CHUNK_RECORDS]);
    expect(SERVICES.map((service) => fleet.pid(service))).toEqual(pids);
    expect(await fleet.restartEnded()).toEqual([]);
  }, 180_000);

  it.each([
    ['its tables were looked at', 'from finance_storage.migration'],
    ['its walls were looked at', 'relforcerowsecurity'],
  ])(
    'starts a process whose database goes away when %s, and none ends',
    async (_, text) => {
      await fleet.stop('finance-storage');
      await using proxy = await PostgresProxy.open(fleet.databaseUrl);
      const { host, pathname } = new URL(proxy.url);
      financeSettings.DATABASE_URL = `postgres://${host}${pathname}`;
      const away = proxy.goAwayAt(text);

      await fleet.start('finance-storage', 0, false);

      await away;
      const pid = fleet.pid('finance-storage');
      await until(
        () => fleet.readiness('finance-storage'),
        ({ httpStatus }) => httpStatus === 503,
      );
      await proxy.comeBack();
      await until(
        () => fleet.readiness('finance-storage'),
        ({ status }) => status === 'UP',
      );
      expect(fleet.pid('finance-storage')).toBe(pid);
      expect(await fleet.restartEnded()).toEqual([]);
    },
    120_000,
  );
});
