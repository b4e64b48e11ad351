import { request as httpRequest } from 'node:http';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVICES } from '@quire/contracts/scope';
import { Fleet } from '@quire/testing/fleet';
import { tellBackEnds } from '@quire/testing/lab/back-ends';
import { lab } from '@quire/testing/lab/config';
import { generateMarc } from '@quire/testing/marc';
import {
  download,
  exportEnds,
  importEnds,
  instanceIds,
  runExport,
  startExport,
  startImport,
  until,
} from './src/steps.js';
import { Site, type Person } from './src/world.js';

const MAIN = fileURLToPath(new URL('../quire/dist/src/main.js', import.meta.url));
const RECORDS = 4500;
/** Promised are 5 s, and the pause of the sweep and a claim; the rest is for a machine that does other things too. */
const HAND_OVER_S_MAX = 10;
const TAKE_OVER_S_MAX = 15;

interface Lease {
  readonly owner: string | null;
  readonly epoch: number;
  /** Seconds, by the clock of the database. */
  readonly until: number | null;
  readonly now: number;
}

const HERE = lab.kafka && lab.s3 ? describe : describe.skip;

/** The doors of a fleet behind a balancer: who is not ready, or takes no connection, is passed over. */
class Doors extends Site implements AsyncDisposable {
  private readonly ready = [true, true];
  private looking = true;
  private readonly looks: Promise<void>;

  constructor(private readonly fleet: Fleet) {
    super(fleet.url);
    this.looks = this.look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.looking = false;
    await this.looks;
  }

  private async look(): Promise<void> {
    while (this.looking) {
      for (const number of [0, 1])
        this.ready[number] = (await this.fleet.readiness('gateway', number)).httpStatus === 200;
      await delay(100);
    }
  }

  /** Status of one request over a connection of its own. */
  async ask(method: string, path: string, headers: object, body = ''): Promise<number> {
    for (const [number, url] of this.fleet.urls.entries()) {
      if (!this.ready[number]) continue;
      try {
        return await statusOf(url + path, { method, headers: { ...headers } }, body);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
      }
    }
    throw new Error('No gateway takes a connection.');
  }
}

function statusOf(
  url: string,
  options: { readonly method: string; readonly headers: Record<string, string> },
  body: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { ...options, agent: false }, (response) => {
      response.resume();
      response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
    request.end(body);
  });
}

HERE('two replicas of every service, each in a process of its own', () => {
  let fleet: Fleet;
  let doors: Site;

  beforeAll(async () => {
    if (!lab.kafka || !lab.s3) return;
    tellBackEnds({ world: 'fleet', kafka: true, s3: true });
    // Ten processes on a shared machine: one that gets no processor for two seconds is not an outage of the database.
    const settings = { QUIRE_DATABASE_WAIT_MS: '20000' };
    fleet = await Fleet.open({ main: MAIN, kafka: lab.kafka, s3: lab.s3, replicas: 2, settings });
    await fleet.startAll();
    doors = new Site(fleet.url);
  }, 300_000);

  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
  }, 60_000);

  const rows = <R extends object>(sql: string): Promise<R[]> => fleet.query<R>(sql);

  it('import a file and export it, each chunk and slice once', async () => {
    const admin = await doors.as('library', 'admin', fleet.password);
    const job = await importEnds(
      admin,
      await startImport(admin, Buffer.concat([...generateMarc(7, RECORDS)])),
    );
    expect(job).toMatchObject({
      status: 'COMMITTED',
      progress: { current: RECORDS, total: RECORDS },
    });
    const ids = await instanceIds(admin, job.id);
    expect(new Set(ids).size).toBe(RECORDS);
    const exported = await runExport(admin, ids.join('\n'));
    expect(exported).toMatchObject({
      status: 'COMPLETED',
      progress: { exported: RECORDS, failed: 0, total: RECORDS },
    });
    expect((await download(admin, exported)).filter((byte) => byte === 0x1d)).toHaveLength(RECORDS);
    // A worker that gets no processor for long may rightly be thought dead: what it does counts once.
    expect(await rows(`select state, exported from data_export.slice`)).toEqual([
      { state: 'DONE', exported: RECORDS },
    ]);
    const [chunks] = await rows<{ chunks: number; created: number }>(
      'select count(*)::int as chunks, sum(created)::int as created from data_import.job_chunk',
    );
    expect(chunks?.created).toBe(RECORDS);
    expect(chunks?.chunks).toBeGreaterThan(4);
  }, 200_000);

  it('have one relay each: the other replica stands by', async () => {
    for (const service of SERVICES) {
      const lock = `${service.replaceAll('-', '_')}.relay`;
      const held = await rows(
        `select from pg_locks where locktype = 'advisory' and granted
           and ((classid::bigint << 32) | objid::bigint) = hashtextextended('${lock}', 0)`,
      );
      expect({ lock, holders: held.length }).toEqual({ lock, holders: 1 });
    }
  });

  it('are restarted one by one under load, and no request fails', async () => {
    const admin = await doors.as('library', 'admin', fleet.password);
    const imports = await startImport(admin, Buffer.concat([...generateMarc(8, RECORDS)]));
    await using balanced = new Doors(fleet);
    const load = new Load(balanced, admin.headers);
    const running = load.run();
    const stops = [];
    for (const service of SERVICES) {
      for (const number of [0, 1]) {
        const { code, ms } = await fleet.stop(service, number);
        stops.push({ service, number, code, late: ms > 25_000 });
        await fleet.start(service, number);
      }
    }
    load.stop();
    await running;
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(100);
    expect(stops).toEqual(
      SERVICES.flatMap((service) =>
        [0, 1].map((number) => ({ service, number, code: 0, late: false })),
      ),
    );
    const job = await importEnds(admin, imports);
    expect(job).toMatchObject({
      status: 'COMMITTED',
      progress: { current: RECORDS, total: RECORDS },
    });
  }, 400_000);

  describe('one of which works on a slice', () => {
    let jobId: string;
    let admin: Person;

    /** Its source answers nothing, so that the slice is in hand for as long as a test wants. @returns who has it */
    const heldSlice = async (): Promise<number> => {
      admin = await doors.as('library', 'admin', fleet.password);
      const [first] = await rows<{ id: string }>(
        'select id from data_import.job_execution limit 1',
      );
      const ids = await instanceIds(admin, first?.id ?? '');
      for (const number of [0, 1]) fleet.freeze('source-record-storage', number);
      jobId = await startExport(admin, ids.join('\n'));
      const { owner } = await until(lease, ({ epoch }) => epoch === 1);
      return owner?.startsWith(`${fleet.pid('data-export', 0)}.`) ? 0 : 1;
    };
    const lease = async () => {
      const [slice] = await rows<Lease>(
        `select lease_owner as owner, lease_epoch::int as epoch,
           extract(epoch from lease_until)::float8 as until, extract(epoch from clock_timestamp())::float8 as now
         from data_export.slice where job_id = '${jobId}'`,
      );
      return slice ?? { owner: null, epoch: 0, until: null, now: 0 };
    };
    /** Until another one has claimed it. @returns seconds of the clock of the database at which it was seen */
    const claimedAgain = async (): Promise<number> =>
      (await until(lease, ({ epoch, owner }) => epoch > 1 && owner !== null)).now;
    const goesOn = async (): Promise<void> => {
      for (const number of [0, 1]) fleet.continue('source-record-storage', number);
      expect(await exportEnds(admin, jobId)).toMatchObject({
        status: 'COMPLETED',
        progress: { exported: RECORDS, failed: 0, total: RECORDS },
      });
      expect(await lease()).toMatchObject({ epoch: 2 });
    };

    afterEach(() => {
      for (const number of [0, 1]) fleet.continue('source-record-storage', number);
    });

    it('hand it over at SIGTERM, without a sweep or the end of its lease', async () => {
      const holder = await heldSlice();
      const { now: stoppedAt } = await lease();
      const stopping = fleet.stop('data-export', holder);
      expect((await claimedAgain()) - stoppedAt).toBeLessThan(HAND_OVER_S_MAX);
      await goesOn();
      expect((await stopping).code).toBe(0);
      await fleet.start('data-export', holder);
    }, 200_000);

    it('have a killed one taken over when its lease has ended, and not before', async () => {
      const holder = await heldSlice();
      await fleet.kill('data-export', holder);
      const { until: endsAt } = await lease();
      const claimedAt = await claimedAgain();
      expect(claimedAt).toBeGreaterThan(endsAt ?? Infinity);
      expect(claimedAt - (endsAt ?? 0)).toBeLessThan(TAKE_OVER_S_MAX);
      await goesOn();
      await fleet.start('data-export', holder);
    }, 200_000);
  });

  it('lose a killed worker, and another one ends its slice', async () => {
    const admin = await doors.as('library', 'admin', fleet.password);
    const [first] = await rows<{ id: string }>('select id from data_import.job_execution limit 1');
    const ids = await instanceIds(admin, first?.id ?? '');
    const id = await startExport(admin, ids.join('\n'));
    await fleet.kill('data-export', 0);
    await fleet.kill('data-export', 1);
    await fleet.start('data-export', 1);
    expect(await exportEnds(admin, id)).toMatchObject({
      status: 'COMPLETED',
      progress: { exported: RECORDS, failed: 0, total: RECORDS },
    });
    await fleet.start('data-export', 0);
  }, 200_000);
});

/** Reads and writes of all services, some at a time. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  private stopped = false;

  constructor(
    private readonly doors: Doors,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  stop(): void {
    this.stopped = true;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: 4 }, () => this.lane()));
  }

  private async lane(): Promise<void> {
    const json = { ...this.headers, 'content-type': 'application/json' };
    const asks: [string, string, number, object, string?][] = [
      ['GET', '/data-export/job-profiles?limit=1', 200, this.headers],
      ['GET', '/source-storage/records?limit=1', 200, this.headers],
      ['GET', '/finance-storage/group-fund-fiscal-years?limit=1', 200, this.headers],
      ['GET', '/metadata-provider/jobExecutions?limit=1', 200, this.headers],
      ['POST', '/data-export/file-definitions', 201, json, '{"fileName":"load.csv"}'],
      [
        'POST',
        '/data-import/upload/definition',
        201,
        json,
        '{"fileDefinitions":[{"name":"l.mrc"}]}',
      ],
    ];
    while (!this.stopped) {
      for (const [method, path, wanted, headers, body] of asks) {
        const found = await this.doors
          .ask(method, path, headers, body)
          .catch((error: unknown) => String(error));
        if (found === wanted) this.answered += 1;
        else this.failures.push(`${method} ${path}: ${found}`);
      }
      await delay(5);
    }
  }
}
