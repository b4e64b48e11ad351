import { text } from 'node:stream/consumers';
import {
  ImportCancelled,
  ImportCompleted,
  ImportJobChanged,
  ImportJobCreated,
} from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkError, ChunkSavedPayload } from '@quire/contracts/source-record-events';
import type { JobStatus } from '@quire/contracts/source-records';
import { find999ff, openStored, suppressFields } from '@quire/marc/iso2709/stored';
import { writeMarcJsonLine } from '@quire/marc/marc-json';
import { MARCXML_NAMESPACE, writeMarcXml } from '@quire/marc/marcxml-write';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { BIB_LEADER, marcRecord, type FieldSketch } from '@quire/testing/marc';
import { idOf, TENANT, USER_ID } from './chunk-source.js';
import type { Told } from './import-stub.js';
import { RecordWorld } from './record-world.js';

describe('a chunk of an import', () => {
  let database: TestDatabase;
  let world: RecordWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const recordsOf = (job: string): Promise<Row[]> =>
    world.rows<Row>(
      `select r.*, c.content from record r join record_content c on (c.tenant_id, c.record_id) = (r.tenant_id, r.id)
       where r.tenant_id = $1 and r.snapshot_id = $2 order by r.record_order`,
      [idOf(job)],
    );

  const snapshotOf = async (
    job: string,
  ): Promise<{ status: string; job_version: string } | undefined> =>
    (
      await world.rows<{ status: string; job_version: string }>(
        'select * from snapshot where tenant_id = $1 and id = $2',
        [idOf(job)],
      )
    )[0];

  it('is stored under ids that its job and the places of its frames give', async () => {
    const job = 'ids';
    const frames = [bib('b1', 'One'), bib('b2', 'Two')];
    const { told } = await world.send(frames, { job, firstOrder: 40, offset: 17 });
    const rows = await recordsOf(job);
    const ids = [40, 41].map((order) => uuidV5(idOf(job), `file:${order}`));
    expect(rows.map((row) => row.id)).toEqual(ids);
    expect(rows.map((row) => row.matched_id)).toEqual(ids);
    expect(rows.map((row) => row.external_id)).toEqual(ids.map((id) => uuidV5(id, 'instance')));
    expect(rows[1]).toMatchObject({
      record_order: 41,
      record_type: 'MARC_BIB',
      external_hrid: 'b2',
      state: 'ACTUAL',
      leader_status: 'n',
      generation: 0,
      title: 'Two',
      created_by: USER_ID,
      created_by_name: 'ann',
      origin_at: String(17 + frames[0]!.length),
      origin_length: frames[1]!.length,
    });
    expect(savedOf(told)).toMatchObject({
      counts: { created: 2, updated: 0, unchanged: 0, failed: 0, warned: 0, byType: { B: 2 } },
      errors: [],
    });
    expect(told[0]?.actorId).toBe(USER_ID);
  });

  it('keeps the bytes as they came, with one 999 ff behind them', async () => {
    const job = 'bytes';
    const plain999 = ['999', '  ', { a: 'local' }] as const;
    const empty999ff = ['999', 'ff', { s: '' }] as const;
    const sound = bib('c1', 'Größe – 大きさ', [plain999]);
    await world.send([sound, bib('c2', 'Emptied', [empty999ff, ['998', '  ', { a: 'x' }]])], {
      job,
    });
    const [first, second] = await recordsOf(job);
    const record = openStored(first!.content);
    expect(find999ff(record)).toEqual({ count: 1, s: first!.matched_id, i: first!.external_id });
    expect(record.tag(record.fieldCount - 1)).toBe('999');
    const [own, stored] = [bodyOf(sound), bodyOf(first!.content)];
    expect(stored.subarray(0, own.length - 1)).toEqual(own.subarray(0, -1));
    expect(first!.content.subarray(5, 12)).toEqual(sound.subarray(5, 12));
    expect(first!.content.subarray(17, 24)).toEqual(sound.subarray(17, 24));
    const replaced = openStored(second!.content);
    expect(find999ff(replaced)).toEqual({
      count: 1,
      s: second!.matched_id,
      i: second!.external_id,
    });
    expect(replaced.tag(replaced.fieldCount - 1)).toBe('999');
    expect(replaced.find('998')).toBeGreaterThan(0);
  });

  it('has one effect however often it comes, and is answered each time', async () => {
    const job = 'again';
    const { chunk, told } = await world.send([bib('d1', 'Once')], { job });
    const before = await recordsOf(job);
    expect(await world.offer(chunk)).toEqual([told[0], told[0]]);
    expect(await world.offer({ ...chunk, attempt: 2 })).toEqual([told[0], told[0], told[0]]);
    expect(await recordsOf(job)).toEqual(before);
    const events = await world.rows('select from inbox where tenant_id = $1 and event_id = $2', [
      chunk.chunkId,
    ]);
    expect(events).toHaveLength(1);
  });

  it('is answered again also when its file has gone meanwhile', async () => {
    const { chunk, told } = await world.send([bib('d2', 'Swept')], { job: 'swept' });
    await world.isolated.store.remove(TenantKey.parse(chunk.objectKey));
    expect(await world.offer({ ...chunk, attempt: 2 })).toEqual([told[0], told[0]]);
  });

  it('is stored but for its broken frames, which are explained', async () => {
    const job = 'broken';
    const good = bib('e1', 'Good');
    const cutOff = bib('e2', 'Cut off').subarray(0, -10);
    const noise = Buffer.from('no record\x1d');
    const strange = marcRecord({
      leader: '00000nq' + BIB_LEADER.slice(7),
      fields: [
        ['001', 'e4'],
        ['245', '10', { a: 'Strange thing' }],
      ],
    });
    const frames = [good, cutOff, noise, strange, bib('e5', 'Also good')];
    const { told } = await world.send(frames, { job, firstOrder: 10, offset: 5 });
    const { errors, counts } = savedOf(told);
    const at = (index: number): number =>
      5 + frames.slice(0, index).reduce((sum, frame) => sum + frame.length, 0);
    expect(errors.map(({ o, at: offset, len, c }) => [o, offset, len, c])).toEqual([
      [11, at(1), cutOff.length, 'TRUNCATED'],
      [12, at(2), noise.length, 'LEADER'],
      [13, at(3), strange.length, 'RECORD_TYPE'],
    ]);
    expect(errors[2]).toMatchObject({ field: 'LDR', n: 'Strange thing', h: 'e4' });
    expect(errors[2]).not.toHaveProperty('t');
    expect(counts).toMatchObject({ created: 2, failed: 3, byType: { B: 2 } });
    expect((await recordsOf(job)).map((row) => row.record_order)).toEqual([10, 14]);
  });

  it('refuses records that bring a 999 ff of their own', async () => {
    const job = 'reject';
    const known = bib('f1', 'Known', [['999', 'ff', { s: idOf('some record') }]]);
    const { told } = await world.send([known, bib('f2', 'New')], { job });
    expect(savedOf(told).errors).toEqual([
      {
        o: 0,
        at: 0,
        len: known.length,
        t: 'B',
        c: 'EXISTING_999FF',
        field: '999',
        n: 'Known',
        h: 'f1',
      },
    ]);
    expect(await recordsOf(job)).toHaveLength(1);
  });

  it('drops their 999 ff instead where the job says so, with a warning', async () => {
    const job = 'strip';
    const known = bib('f3', 'Known', [
      ['999', 'ff', { s: idOf('some record'), i: idOf('instance') }],
    ]);
    const { told } = await world.send([known], { job, options: { on999ff: 'strip' } });
    expect(savedOf(told)).toMatchObject({
      counts: { created: 1, warned: 1, warnings: { '999FF_STRIPPED': 1 } },
      errors: [],
    });
    const [row] = await recordsOf(job);
    expect(find999ff(openStored(row!.content))).toEqual({
      count: 1,
      s: uuidV5(idOf(job), 'file:0'),
      i: row!.external_id,
    });
  });

  it('refuses records of a type that its profile does not take', async () => {
    const { told } = await world.send([bib('g1', 'A book'), authority('g2', 'Lee, Ann')], {
      job: 'profile',
      profile: { recordTypes: ['MARC_AUTHORITY'] },
    });
    expect(savedOf(told).errors).toMatchObject([{ o: 0, t: 'B', c: 'PROFILE_TYPE', n: 'A book' }]);
    expect(savedOf(told).counts).toMatchObject({ created: 1, failed: 1, byType: { A: 1, B: 1 } });
  });

  it('takes holdings only of bibliographic records that are there', async () => {
    const job = 'holdings';
    const frames = [
      bib('h1', 'Held'),
      holdings('h2', 'h1'),
      holdings('h3', 'nowhere'),
      holdings('h4'),
    ];
    const { told } = await world.send(frames, { job });
    expect(savedOf(told).errors.map(({ o, t, c, field }) => [o, t, c, field])).toEqual([
      [2, 'H', 'HOLDINGS_004', '004'],
      [3, 'H', 'HOLDINGS_004', '004'],
    ]);
    const later = await world.send([holdings('h5', 'h1')], { job: 'later holdings' });
    expect(savedOf(later.told).counts.created).toBe(1);
    const [row] = await recordsOf('later holdings');
    expect(row?.external_id).toBe(uuidV5(row!.id, 'holdings'));
  });

  it('stores a record that its leader calls deleted as such', async () => {
    await world.send([bib('i1', 'Gone', [], 'd')], { job: 'deleted' });
    expect(await recordsOf('deleted')).toMatchObject([{ state: 'DELETED', leader_status: 'd' }]);
  });

  it('stores nothing on a dry run but says what would come of it', async () => {
    const { told } = await world.send([bib('k1', 'Tried'), Buffer.from('no\x1d')], {
      job: 'dry',
      options: { dryRun: true },
    });
    expect(savedOf(told)).toMatchObject({ counts: { created: 1, failed: 1 } });
    expect(await recordsOf('dry')).toEqual([]);
    expect(await snapshotOf('dry')).toBeUndefined();
  });

  it('is rejected when its file is gone, too short, or of another tenant', async () => {
    const frames = [bib('l1', 'Lost')];
    const gone = await world.store(frames, { job: 'gone' });
    await world.isolated.store.remove(TenantKey.parse(gone.objectKey));
    const short = await world.store(frames, { job: 'short' });
    const foreign = await world.store(frames, { job: 'foreign', tenantId: 'archive' });
    const chunks = [
      gone,
      { ...short, length: short.length + 1, frames: [0, short.length + 1] },
      { ...foreign, tenantId: TENANT },
    ];
    for (const chunk of chunks) {
      const told = await world.offer(chunk);
      expect(told).toMatchObject([{ name: 'ChunkRejected', payload: { reason: 'FILE_MISSING' } }]);
      expect(await world.offer({ ...chunk, attempt: 2 })).toEqual([told[0], told[0]]);
    }
  });

  it.each(['MARC_XML', 'MARC_JSON'] as const)(
    'is stored from %s as from ISO 2709',
    async (format) => {
      const sources = [bib('f1', 'As ISO 2709'), bib('f2', 'Ελληνικά & more')].map(openStored);
      const write = format === 'MARC_XML' ? writeMarcXml : writeMarcJsonLine;
      const good = sources.map((one) => write(one).subarray(0, -1));
      const bad = Buffer.from(
        format === 'MARC_XML' ? '<m:record><x/></m:record>' : '{"leader":"short"}',
      );
      const { told } = await world.send([good[0]!, bad, good[1]!], {
        job: format,
        changes: {
          format,
          ...(format === 'MARC_XML' && {
            xmlContext: `<c xmlns="${MARCXML_NAMESPACE}" xmlns:m="${MARCXML_NAMESPACE}">`,
          }),
        },
      });
      expect(savedOf(told)).toMatchObject({
        counts: { created: 2, failed: 1, warned: 0, byType: { B: 2 } },
        errors: [{ o: 1, at: good[0]!.length, len: bad.length, c: 'LEADER' }],
      });
      const rows = await recordsOf(format);
      expect(rows.map((row) => row.title)).toEqual(['As ISO 2709', 'Ελληνικά & more']);
      const plain = rows.map((row) => suppressFields(openStored(row.content), { ff999: true }));
      expect(plain.map((one) => !one.failed && one.bytes)).toEqual(sources.map((one) => one.bytes));
      expect(rows[1]).toMatchObject({ record_order: 2, origin_length: good[1]!.length });
    },
  );

  it('is rejected when it is of a kind that cannot be read', async () => {
    const { told } = await world.send([bib('m1', 'In a batch')], {
      job: 'kind',
      changes: { format: 'BATCH' },
    });
    expect(told).toMatchObject([{ name: 'ChunkRejected', payload: { reason: 'STORE' } }]);
  });

  it('puts more than a hundred errors into an object', async () => {
    const bad = Array.from({ length: 101 }, (_, at) => Buffer.from(`bad ${at}\x1d`));
    const inline = await world.send(bad.slice(0, 100), { job: 'hundred' });
    expect(savedOf(inline.told)).toMatchObject({ errors: { length: 100 } });
    expect(savedOf(inline.told)).not.toHaveProperty('errorsKey');
    const { told } = await world.send([bib('n1', 'Good'), ...bad], { job: 'many' });
    const { errors, errorsKey, counts } = savedOf(told);
    expect(errors).toEqual([]);
    expect(counts).toMatchObject({ created: 1, failed: 101 });
    const key = TenantKey.parse(errorsKey ?? '');
    expect([key.prefix, key.tenantId]).toEqual(['records', TENANT]);
    const lines = (await text(await world.isolated.store.get(key))).trimEnd().split('\n');
    const listed = lines.map((line) => JSON.parse(line) as ChunkError);
    expect(listed.map(({ o }) => o)).toEqual(bad.map((_, at) => at + 1));
    expect(listed[100]).toMatchObject({ len: bad[100]!.length, c: 'LEADER' });
    const intents = await world.rows('select from object_intent where tenant_id = $1');
    expect(intents).toEqual([]);
  });

  it('of a job that was stopped is skipped', async () => {
    const job = 'stopped';
    await world.publish(ImportCancelled, {
      ...about(job, 7),
      status: 'CANCELLED',
      userId: USER_ID,
    });
    const { told, chunk } = await world.send([bib('o1', 'Too late')], { job });
    expect(savedOf(told)).toMatchObject({
      skipped: true,
      counts: { created: 0, failed: 0, byType: {} },
      errors: [],
    });
    expect(await recordsOf(job)).toEqual([]);
    expect(await world.offer(chunk)).toEqual([told[0], told[0]]);
  });

  it('makes the snapshot when it comes before the event of its job', async () => {
    await world.send([bib('p1', 'Early')], { job: 'early' });
    expect(await snapshotOf('early')).toMatchObject({
      status: 'PARSING_IN_PROGRESS',
      job_version: '2',
    });
  });

  it('of one tenant is nothing to another', async () => {
    await world.send([bib('q1', 'Elsewhere')], { job: 'elsewhere', tenantId: 'archive' });
    expect(await recordsOf('elsewhere')).toEqual([]);
    const there = await world.rows(
      'select from record where tenant_id = $1 and snapshot_id = $2',
      [idOf('elsewhere')],
      'archive',
    );
    expect(there).toHaveLength(1);
  });

  describe('has a snapshot that', () => {
    const changed = (job: string, jobVersion: number, status: JobStatus): Promise<void> =>
      world.publish(ImportJobChanged, { ...about(job, jobVersion), status, uiStatus: 'RUNNING' });

    it('follows its job and ignores what is older than it knows', async () => {
      const job = 'followed';
      await world.publish(ImportJobCreated, {
        ...about(job, 1),
        parentJobId: idOf(job),
        subordinationType: 'PARENT_SINGLE',
        hrId: 1,
        status: 'FILE_UPLOADED',
        userId: USER_ID,
      });
      expect(await snapshotOf(job)).toMatchObject({ status: 'FILE_UPLOADED', job_version: '1' });
      await changed(job, 5, 'PARSING_IN_PROGRESS');
      await changed(job, 3, 'PARSING_FINISHED');
      expect(await snapshotOf(job)).toMatchObject({
        status: 'PARSING_IN_PROGRESS',
        job_version: '5',
      });
      await world.publish(ImportCompleted, {
        ...about(job, 9),
        status: 'COMMITTED',
        result: 'SUCCESS',
        counts: { created: 0, updated: 0, unchanged: 0, failed: 0, warned: 0 },
        completedDate: '2026-11-25T06:00:00.000+00:00',
      });
      await changed(job, 8, 'PROCESSING_IN_PROGRESS');
      expect(await snapshotOf(job)).toMatchObject({ status: 'COMMITTED', job_version: '9' });
    });

    it('is not made for the parent of several files', async () => {
      const job = 'parent';
      await world.publish(ImportJobCreated, {
        ...about(job, 1),
        parentJobId: idOf(job),
        subordinationType: 'PARENT_MULTIPLE',
        hrId: 2,
        status: 'PARENT',
        userId: USER_ID,
      });
      expect(await snapshotOf(job)).toBeUndefined();
    });
  });
});

interface Row {
  readonly title: string;
  readonly id: string;
  readonly matched_id: string;
  readonly external_id: string;
  readonly record_order: number;
  readonly content: Buffer;
}

const about = (job: string, jobVersion: number) => ({
  tenantId: TENANT,
  jobExecutionId: idOf(job),
  jobVersion,
});

/** The first answer, which must be that the chunk is saved. */
function savedOf([first]: readonly Told[]): ChunkSavedPayload {
  if (first?.name !== 'ChunkSaved') throw new Error(`Not saved, but ${first?.name ?? 'no answer'}`);
  return first.payload;
}

/** What stands behind the directory. */
const bodyOf = (record: Buffer): Buffer =>
  record.subarray(Number(record.toString('latin1', 12, 17)));

function bib(hrid: string, title: string, more: readonly FieldSketch[] = [], status = 'n'): Buffer {
  return marcRecord({
    leader: `00000${status}${BIB_LEADER.slice(6)}`,
    fields: [['001', hrid], ['245', '10', { a: title }], ...more],
  });
}

const authority = (hrid: string, name: string): Buffer =>
  marcRecord({
    leader: '00000nz  a2200000n  4500',
    fields: [
      ['001', hrid],
      ['100', '1 ', { a: name }],
    ],
  });

const holdings = (hrid: string, parent?: string): Buffer =>
  marcRecord({
    leader: '00000nx  a2200000un 4500',
    fields: [
      ['001', hrid],
      ...(parent === undefined ? [] : [['004', parent] as const]),
      ['852', '  ', { b: 'main' }],
    ],
  });
