import type { ImportDetails } from '@quire/contracts/import-work';
import type { RecordHistoryView } from '@quire/contracts/record-history';
import type { SourceRecords } from '@quire/contracts/source-records';
import { generateMarc, marcRecord } from '@quire/testing/marc';
import { quire } from './src/command-line.js';
import { imported } from './src/imports.js';
import { startImport, until } from './src/steps.js';
import { World, type Person } from './src/world.js';

const CREATE_OR_UPDATE = { id: 'f5480378-9acd-4f7e-8219-6410f4ac9582', dataType: 'MARC' };
const record = (hrid: string, title: string): Buffer =>
  marcRecord({
    fields: [
      ['001', hrid],
      ['245', '10', { a: title }],
    ],
  });

/** So many that the import runs when it is cancelled. */
const MANY = 5000;

/** Through the gateway and all services; the rules are proved in their own specs. */
describe('a cataloguer takes an import back', () => {
  let world: World;
  let person: Person;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  const run = (...frames: readonly Buffer[]): Promise<{ id: string }> =>
    imported(person, Buffer.concat(frames), { profile: CREATE_OR_UPDATE });
  const details = (id: string): Promise<ImportDetails> =>
    person.get<ImportDetails>(`/data-import/jobExecutions/${id}/details`);
  const found = async (query: string): Promise<SourceRecords['sourceRecords']> =>
    (await person.get<SourceRecords>(`/source-storage/source-records?${query}`)).sourceRecords;

  it('from the command line, and every record is what it was before', async () => {
    await run(record('u1', 'One'), record('u2', 'Two'));
    const [one] = await found('externalHrid=u1');
    const wrong = await run(record('u1', 'Wrong'), record('u3', 'Three'), record('u2', 'Too'));
    const [two] = await found('externalHrid=u2');
    const suppress = `/source-storage/records/${two?.recordId ?? ''}/suppress-from-discovery`;
    expect((await person.send('PUT', suppress)).status).toBe(200);

    const tried = await quire(['undo', wrong.id, '--dry-run'], world.url);
    expect(tried.stdout).toContain(
      '2 records would be removed, 1 would be restored, 1 would be left as they are',
    );
    expect(tried.exitCode).toBe(5);
    expect((await found('externalHrid=u1'))[0]?.generation).toBe(1);

    const { hrId } = await person.get<{ hrId: number }>(
      `/change-manager/jobExecutions/${wrong.id}`,
    );
    const undone = await quire(['undo', String(hrId)], world.url);
    expect([undone.exitCode, undone.stderr]).toEqual([5, '']);
    expect(undone.stdout).toContain('2 records removed, 1 restored, 1 left as they are');
    expect(undone.stdout).toContain(`${two?.recordId ?? ''}  suppressed or shown by a user`);
    const [after] = await found('externalHrid=u1');
    expect(after?.parsedRecord).toEqual(one?.parsedRecord);
    expect(await found('externalHrid=u3')).toEqual([]);
    expect(await details(wrong.id)).toMatchObject({
      counts: { created: 1, updated: 2 },
      undone: { state: 'DONE', removed: 2, restored: 1, kept: 1 },
    });
    const log = await person.get<{ totalRecords: number }>(
      `/metadata-provider/jobLogEntries/${wrong.id}`,
    );
    expect(log.totalRecords).toBe(1);
    const job = await person.get<object>(`/change-manager/jobExecutions/${wrong.id}`);
    expect(job).toMatchObject({ status: 'COMMITTED' });

    const history = await person.get<RecordHistoryView>(
      `/source-storage/records/${one?.recordId ?? ''}/history`,
    );
    expect(history.versions.map(({ action }) => action)).toEqual([
      'CREATED',
      'UPDATED',
      'REMOVED',
      'RESTORED',
    ]);
    expect(history.versions.every(({ userId }) => userId === history.versions[0]?.userId)).toBe(
      true,
    );
  });

  it('while he cancels it, and nothing of it stays', async () => {
    const id = await startImport(person, Buffer.concat([...generateMarc(1, MANY)]));
    const answer = await person.send('DELETE', `/data-import/jobExecutions/${id}/cancel?undo=true`);
    expect(answer.status).toBe(200);
    const done = await until(
      () => details(id),
      ({ undone }) => undone?.state === 'DONE',
    );
    expect(done.undone).toMatchObject({ removed: done.counts.created, restored: 0, kept: 0 });
    expect(await person.get<object>(`/change-manager/jobExecutions/${id}`)).toMatchObject({
      status: 'CANCELLED',
    });
    const nothing = await person.get<SourceRecords>(
      `/source-storage/source-records?snapshotId=${id}`,
    );
    expect(nothing).toMatchObject({ sourceRecords: [], totalRecords: 0 });
  });
});
