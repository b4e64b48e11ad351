import { randomUUID } from 'node:crypto';
import type { RecordHistoryView } from '@quire/contracts/record-history';
import type { StoredRecord } from '@quire/contracts/source-records';
import { marcRecord } from '@quire/testing/marc';
import { download, importEnds, instanceIds, runExport, startImport, until } from './src/steps.js';
import { World, type Person } from './src/world.js';

/** A record over the years: imports that change it, a user who changes it by hand, and back again. */
const UPDATING = {
  id: 'f5480378-9acd-4f7e-8219-6410f4ac9582',
  name: 'Quire - Create or update MARC records',
  dataType: 'MARC',
};

function water(title: string, subject?: string): Buffer {
  return marcRecord({
    fields: [
      ['001', 'water1'],
      ['245', '10', { a: title }],
      ...(subject === undefined ? [] : [['650', ' 0', { a: subject }] as const]),
    ],
  });
}

describe('the life of a record', () => {
  let world: World;
  let person: Person;
  const jobs: string[] = [];
  let instance: string;

  async function load(file: Buffer): Promise<string> {
    const id = await startImport(person, file, { profile: UPDATING });
    await importEnds(person, id);
    jobs.push(id);
    return id;
  }

  const current = (): Promise<StoredRecord> =>
    person.get<StoredRecord>(`/source-storage/records/${instance}/formatted?idType=INSTANCE`);
  const exported = async (): Promise<string> =>
    (await download(person, await runExport(person, instance))).toString('utf8');

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
    const first = await load(water('Water'));
    [instance = ''] = await instanceIds(person, first);
    await load(water('Water and wine'));
    await load(water('Water and wine', 'Miracles'));
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it('its history shows who changed it, when, by which job, and which fields', async () => {
    const { versions } = await person.get<RecordHistoryView>(
      `/source-storage/records/${instance}/history?idType=INSTANCE`,
    );
    expect(
      versions.map(({ action, generation, snapshotId }) => [action, generation, snapshotId]),
    ).toEqual([
      ['CREATED', 0, jobs[0]],
      ['UPDATED', 1, jobs[1]],
      ['UPDATED', 2, jobs[2]],
    ]);
    expect(versions.map(({ changedTags }) => changedTags)).toEqual([
      expect.arrayContaining(['245']),
      ['245'],
      ['650'],
    ]);
    for (const { userName, date } of versions) {
      expect(userName).toBe('admin');
      expect(Date.parse(date)).toBeLessThanOrEqual(Date.now());
    }
  });

  it('its first generation comes back byte for byte', async () => {
    const { versions } = await person.get<RecordHistoryView>(
      `/source-storage/records/${instance}/history?idType=INSTANCE`,
    );
    const first = await person.send('GET', `/source-storage/records/${versions[0]?.id ?? ''}`, {
      headers: { accept: 'application/marc' },
    });
    await person.post(
      `/source-storage/records/${instance}/restore?idType=INSTANCE&generation=0`,
      {},
      201,
    );
    const now = await current();
    const restored = await person.send('GET', `/source-storage/records/${now.id}`, {
      headers: { accept: 'application/marc' },
    });
    expect(now.generation).toBe(3);
    expect(restored.bytes.equals(first.bytes)).toBe(true);
    expect(await exported()).toContain('\x1faWater\x1e');
    const found = await person.get<{ ids: object[] }>('/instance-bulk/ids?query=title=wine');
    expect(found.ids).toEqual([]);
  });

  it('an undone import leaves what was changed after it, and says so', async () => {
    const job = jobs[2] ?? '';
    const dry = await person.post<{ conflicts: object[]; restored: number }>(
      `/source-storage/snapshots/${job}/undo?dryRun=true`,
      {},
      200,
    );
    expect(dry).toMatchObject({
      dryRun: true,
      restored: 0,
      conflicts: [{ reason: expect.any(String) as string }],
    });
  });

  it('an import that is undone is as if it had never been', async () => {
    const before = await exported();
    const id = await load(water('Water, a mistake'));
    expect(await exported()).not.toBe(before);
    const undone = await person.send('POST', `/data-import/jobExecutions/${id}/undo`);
    expect(undone.status).toBe(202);
    await until(
      () =>
        person.get<{ undone?: { restored?: number } }>(`/data-import/jobExecutions/${id}/details`),
      ({ undone: counts }) => counts?.restored === 1,
    );
    expect(await exported()).toBe(before);
    const found = await person.get<{ ids: object[] }>('/instance-bulk/ids?query=title=mistake');
    expect(found.ids).toEqual([]);
  });
});

describe('a script that saves records by hand', () => {
  let world: World;
  let person: Person;
  const snapshot = randomUUID();
  const ids = { instanceId: randomUUID(), instanceHrid: 'hand1' };
  const record = {
    snapshotId: snapshot,
    matchedId: randomUUID(),
    recordType: 'MARC_BIB',
    rawRecord: { content: 'as it came' },
    parsedRecord: {
      content: {
        leader: '00000nam a2200000 i 4500',
        fields: [
          { '001': 'hand1' },
          { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'Made by hand' }] } },
        ],
      },
    },
    externalIdsHolder: ids,
  };

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it('makes a snapshot, saves, commits, and the record is found and exported', async () => {
    const body = { jobExecutionId: snapshot, status: 'PARSING_IN_PROGRESS' };
    const made = await person.send('POST', '/source-storage/snapshots', { json: body });
    expect([made.status, made.headers.get('location')]).toEqual([
      201,
      `/source-storage/snapshots/${snapshot}`,
    ]);
    const saved = await person.post<StoredRecord>('/source-storage/records', record);
    expect(saved).toMatchObject({ generation: 0, state: 'ACTUAL', leaderRecordStatus: 'n' });
    const done = { jobExecutionId: snapshot, status: 'COMMITTED' };
    expect(
      (await person.send('PUT', `/source-storage/snapshots/${snapshot}`, { json: done })).status,
    ).toBe(200);
    const found = await person.get<{ ids: object[] }>(
      '/instance-bulk/ids?query=title="made by hand"',
    );
    expect(found.ids).toEqual([{ id: ids.instanceId }]);
    const file = await download(person, await runExport(person, ids.instanceId));
    expect(file.toString('utf8')).toContain('Made by hand');
  });

  it('follows the changes by the date of the last answer, deletions too', async () => {
    const first = await person.send(
      'GET',
      '/source-storage/stream/source-records?limit=2147483647',
    );
    const seen = first.headers.get('date') ?? '';
    const deleted = await person.send(
      'DELETE',
      `/source-storage/records/${ids.instanceId}?idType=INSTANCE`,
    );
    expect(deleted.status).toBe(204);
    const after = new Date(seen).toISOString();
    const next = await person.send(
      'GET',
      `/source-storage/stream/source-records?deleted=true&limit=2147483647&updatedAfter=${after}`,
    );
    const lines = next.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { deleted: boolean });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ deleted: true, additionalInfo: { suppressDiscovery: true } });
  });

  it('deletes the snapshot, and nothing of it is left anywhere', async () => {
    expect((await person.send('DELETE', `/source-storage/snapshots/${snapshot}`)).status).toBe(204);
    expect((await person.send('GET', `/source-storage/snapshots/${snapshot}`)).status).toBe(404);
    const found = await person.get<{ ids: object[] }>('/instance-bulk/ids?query=deleted==true');
    expect(found.ids).toEqual([]);
  });
});
