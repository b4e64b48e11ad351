import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExportCompleted, SliceFinished, SliceReady } from '@quire/contracts/data-export';
import { unavailable } from '@quire/contracts/failure';
import type { Envelope } from '@quire/messaging/event-bus';
import { DiskStore } from '@quire/object-store/disk.store';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { Client } from 'pg';
import { WAITS_MAX } from '../src/domain/slicing.js';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  gate,
  idsOf,
  recordOf,
  TENANT,
  until,
  type Job,
} from './export-world.js';

const HOUR_MS = 3_600_000;
const SLICE = 10_000;
/** Two slices. */
const IDS = idsOf(SLICE + 1);
const THERE = [IDS[0], IDS[SLICE]] as string[];
const COUNTS = { exported: THERE.length, failed: IDS.length - THERE.length, total: IDS.length };
const DELIVERIES = 10;

/** Rows of the fault matrix (reliability, section 17) that data-export can show on its own. */
let database: TestDatabase;
let world: ExportWorld;
let aheadMs: number;

const clock = { now: () => new Date(Date.now() + aheadMs) };

beforeEach(async () => {
  aheadMs = 0;
  database = await testDatabase();
  world = await ExportWorld.start(database.url, {}, clock);
  world.has(THERE);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

const request = (fileDefinitionId: string) =>
  world.ask('POST', '/data-export/export', {
    body: { fileDefinitionId, jobProfileId: DEFAULT_PROFILE },
  });
const start = async (lines: readonly string[]): Promise<string> => {
  const { id } = await world.uploaded(lines.join('\n'));
  return (await request(id)).headers.get('x-job-execution-id') ?? '';
};
const states = async (jobId: string): Promise<string[]> => {
  const sql = `select state from slice where job_id = '${jobId}' order by slice_no`;
  return (await world.rows<{ state: string }>(sql)).map(({ state }) => state);
};
const ends = async (jobId: string): Promise<string[]> => {
  const sql = `select to_status as status from job_transition where job_id = '${jobId}' and to_status not in ('NEW', 'IN_PROGRESS')`;
  return (await world.rows<{ status: string }>(sql)).map(({ status }) => status);
};
const allDone = (jobId: string) => async () => {
  const seen = await states(jobId);
  return seen.length > 0 && seen.every((state) => state === 'DONE');
};
const objects = async (): Promise<number> => {
  const keys = new Set<string>();
  for await (const { key } of world.isolated.store.list('export', TENANT)) keys.add(key.uuid);
  return keys.size;
};
const whole = (ids: readonly string[]): string => ids.map((id) => recordOf(id)).join('');

/** Hands what is published to `instead`, which may deliver it as often and as late as it likes. */
function between(
  instead: (envelope: Envelope, deliver: (envelope: Envelope) => Promise<unknown>) => unknown,
): (envelope: Envelope) => Promise<unknown> {
  const { bus } = world.isolated;
  const deliver = bus.publish.bind(bus);
  bus.publish = async (envelope) => {
    await instead(envelope, deliver);
    return { outcome: 'acknowledged' };
  };
  return deliver;
}

/** Ids of the events that tell the world of an end. */
function toldEnds(): Set<string> {
  const told = new Set<string>();
  world.isolated.bus.subscribe({
    group: 'data-import',
    types: [ExportCompleted.type],
    handle: ({ id }) => Promise.resolve(void told.add(id)),
    giveUp: () => Promise.resolve(),
  });
  return told;
}

describe('an export', () => {
  const everything = async (jobId: string) => ({
    job: await world.job(jobId),
    logs: await world.logs(jobId),
    slices: await world.rows('select slice_no, state, attempts, lease_epoch from slice order by 1'),
    ends: await ends(jobId),
    objects: await objects(),
  });

  it('is the same when each of its events is delivered ten times, and all of them again in reverse', async () => {
    const told = toldEnds();
    const seen: Envelope[] = [];
    const deliver = between(async (envelope, deliverIt) => {
      seen.push(envelope);
      await Promise.all(Array.from({ length: DELIVERIES }, () => deliverIt(envelope)));
    });
    const jobId = await start(IDS);
    await world.ended(jobId);
    await world.isolated.settled();
    const before = await everything(jobId);
    expect(before).toMatchObject({
      job: { progress: COUNTS },
      slices: [1, 2].map(() => ({ state: 'DONE', attempts: 1, lease_epoch: '1' })),
      ends: ['COMPLETED_WITH_ERRORS'],
    });
    expect((await world.file(before.job)).toString()).toBe(whole(THERE));

    for (const envelope of seen.toReversed()) await deliver(envelope);
    await world.isolated.settled();

    expect(await everything(jobId)).toEqual(before);
    expect(told.size).toBe(1);
  });

  it('goes on when no event tells of its slices, and late ones in the wrong order change nothing', async () => {
    const late: Envelope[] = [];
    const types: readonly string[] = [SliceReady.type, SliceFinished.type];
    const deliver = between((envelope, deliverIt) =>
      types.includes(envelope.type) ? late.push(envelope) : deliverIt(envelope),
    );
    const jobId = await start(IDS);
    await until(allDone(jobId));
    await world.isolated.settled();

    for (const envelope of late.toReversed()) await deliver(envelope);

    const job = await world.ended(jobId);
    expect(job.progress).toEqual(COUNTS);
    expect(await ends(jobId)).toEqual(['COMPLETED_WITH_ERRORS']);
    expect((await world.file(job)).toString()).toBe(whole(THERE));
  });

  it('ends when every event of it is lost, only later', async () => {
    await world[Symbol.asyncDispose]();
    world = await ExportWorld.start(database.url, { stallMs: 200 }, clock);
    world.has(THERE);
    between(() => undefined);
    const jobId = await start(IDS);
    const job = await world.ended(jobId);
    expect(job.progress).toEqual(COUNTS);
    expect(await ends(jobId)).toEqual(['COMPLETED_WITH_ERRORS']);
    expect((await world.file(job)).toString()).toBe(whole(THERE));
  });

  it('shows signs of life while its slices wait for the store, and ends when that is back', async () => {
    const { store } = world.isolated;
    const put = store.put.bind(store);
    const { id } = await world.uploaded(THERE.join('\n'));
    store.put = () => Promise.reject(unavailable(1));
    const started = await request(id);
    const jobId = started.headers.get('x-job-execution-id') ?? '';
    const dates = new Set<unknown>();
    await until(async () => {
      const job = await world.job(jobId);
      expect(job.status).toBe('IN_PROGRESS');
      dates.add(job['lastUpdatedDate']);
      return dates.size > 2;
    });
    store.put = put;
    expect((await world.ended(jobId)).status).toBe('COMPLETED');
  });

  it('fails with the address that did not answer when source-record-storage stays away, and is resumed with what is done', async () => {
    let back = false;
    world.sources.before = (ids) => {
      const first = IDS.indexOf(ids[0] ?? '') < SLICE;
      return Promise.resolve(back || first ? 'fine' : 'busy');
    };
    const jobId = await start(IDS);
    await until(async () => (await states(jobId)).includes('DONE'));
    // As long as it takes to wait so often.
    await world.change(`update slice set waits = ${WAITS_MAX} where state <> 'DONE'`);
    await world.change(`update slice set run_at = now() where state = 'RELEASED'`);
    const failed = await world.ended(jobId);
    expect(failed.status).toBe('FAIL');
    const [row] = await world.logs(jobId);
    expect(row).toMatchObject({ code: 'error.callingUri', level: 'ERROR' });
    expect(row?.values[0]).toBe('/source-storage/stream/source-records');

    back = true;
    const asked = world.sources.requests.length;
    const resumed = await world.ask('POST', `/data-export/job-executions/${jobId}/resume`);
    const job = await world.ended(resumed.json.jobExecutionId as string);

    expect(job.progress).toEqual(COUNTS);
    expect((await world.file(job)).toString()).toBe(whole(THERE));
    const askedAgain = world.sources.requests.slice(asked);
    expect(askedAgain.reduce((sum, { count }) => sum + count, 0)).toBe(1);
  });
});

describe('expiry', () => {
  const expire = () => world.ask('POST', '/data-export/expire-jobs');

  it('never ends a job that a worker holds a slice of, however often it comes', async () => {
    const held = gate();
    let asked = false;
    world.sources.before = async () => {
      asked = true;
      await held.opened;
      return 'fine';
    };
    const jobId = await start(THERE);
    await until(() => asked);
    aheadMs = 2 * HOUR_MS;
    for (let call = 0; call < 20; call += 1) {
      expect((await expire()).status).toBe(204);
      expect((await world.job(jobId)).status).toBe('IN_PROGRESS');
    }
    held.open();
    expect((await world.ended(jobId)).status).toBe('COMPLETED');
    expect(await ends(jobId)).toEqual(['COMPLETED']);
  });

  it('and completion at the same time give a job one end', async () => {
    const told = toldEnds();
    const held: Envelope[] = [];
    const deliver = between((envelope, deliverIt) =>
      envelope.type === SliceFinished.type ? held.push(envelope) : deliverIt(envelope),
    );
    const jobs: string[] = [];
    for (let number = 0; number < 12; number += 1) jobs.push(await start(THERE));
    for (const jobId of jobs) await until(allDone(jobId));
    await world.isolated.settled();
    expect(held).toHaveLength(jobs.length);
    // Nothing is left to do but to say that they are done, and they have been idle for long.
    aheadMs = 2 * HOUR_MS;

    await Promise.all([expire(), ...held.map((envelope) => deliver(envelope)), expire()]);

    for (const jobId of jobs) {
      const { status } = await world.ended(jobId);
      expect(await ends(jobId)).toEqual([status]);
    }
    await world.isolated.settled();
    expect(told.size).toBe(jobs.length);
  });
});

describe('clean-up', () => {
  const cleanUp = () => world.ask('POST', '/data-export/clean-up-files');

  it('takes nothing of a job that starts at the same moment or runs', async () => {
    const uploads = [];
    for (let number = 0; number < 8; number += 1)
      uploads.push(await world.uploaded(THERE.join('\n')));
    const held = gate();
    world.sources.before = async () => {
      await held.opened;
      return 'fine';
    };
    const age = () =>
      world.change(`update file_definition set updated_at = now() - interval '25 hours'`);
    await age();
    const [first, ...others] = uploads.map(({ id }) => id);
    const sure = await request(first ?? '');

    const answers = await Promise.all([...others.map(request), cleanUp(), cleanUp()]);

    await age();
    expect((await cleanUp()).status).toBe(204);
    const kept = await world.rows<{ id: string }>(
      `select file_definition_id as id from job_execution where status = 'IN_PROGRESS'`,
    );
    for (const { id } of kept)
      expect((await world.ask('GET', `/data-export/file-definitions/${id}`)).status).toBe(200);
    held.open();
    const started = [sure, ...answers.slice(0, -2)].filter(({ status }) => status === 204);
    const refused = answers.filter(({ status }) => status === 400);
    expect(started.length + refused.length).toBe(uploads.length);
    expect(started).toHaveLength(kept.length);
    for (const { text } of refused) expect(text).toMatch(/^File definition not found with id /);
    for (const { headers } of started) {
      const job: Job = await world.ended(headers.get('x-job-execution-id') ?? '');
      expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 2, total: 2 } });
      expect((await world.file(job)).toString()).toBe(whole(THERE));
    }
  });
});

describe('the objects of a deleted job', () => {
  it('are removed by the next process when the first one died before it came to them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quire-faults-'));
    await world[Symbol.asyncDispose]();
    const store = await DiskStore.open(folder);
    world = await ExportWorld.start(database.url, {}, clock, { store });
    world.has(THERE);
    const job = await world.exported(THERE.join('\n'));
    expect(await objects()).toBe(2);
    const remove = store.remove.bind(store);
    store.remove = () => Promise.reject(new Error('killed'));
    expect((await world.ask('DELETE', `/data-export/job-executions/${job.id}`)).status).toBe(204);
    await world[Symbol.asyncDispose]();
    store.remove = remove;
    // An hour later.
    const admin = new Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`update data_export.object_intent set at = at - interval '1 hour'`);
    await admin.end();

    world = await ExportWorld.start(database.url, {}, clock, { store });

    await until(async () => (await objects()) === 0);
    await rm(folder, { recursive: true, force: true });
  });
});

describe('two uploads to one definition at once', () => {
  it('are one 200 and one 400, and what is kept is exactly one of them', async () => {
    const made = await world.ask('POST', '/data-export/file-definitions', {
      body: { fileName: 'twice.csv' },
    });
    const path = `/data-export/file-definitions/${made.json.id as string}/upload`;
    const contents = [idsOf(3000, 50_000), idsOf(2000, 60_000)];
    const answers = await Promise.all(
      contents.map((ids) =>
        world.ask('POST', path, {
          bytes: ids.join('\n'),
          headers: { 'content-type': 'application/octet-stream' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    const kept = contents[answers.findIndex(({ status }) => status === 200)] ?? [];
    const rows = await world.rows<{ id: string }>('select id from export_id order by ordinal');
    expect(rows.map(({ id }) => id)).toEqual(kept);
    expect(await objects()).toBe(1);
  });
});
