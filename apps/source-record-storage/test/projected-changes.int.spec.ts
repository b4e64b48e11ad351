import { ImportCompleted } from '@quire/contracts/data-import';
import { dataField } from '@quire/marc/iso2709/write';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf, TENANT } from './chunk-source.js';
import { bib, ids999ff, instanceId, recordId } from './library.js';
import { ProjectionWorld } from './projection-world.js';
import { RecordWorld, type Answer } from './record-world.js';
import { bibBody, RECORDS, RecordClient } from './sent-records.js';

const SNAPSHOTS = '/source-storage/snapshots';
const SETTINGS = { deletedRetentionDays: 30, oldGenerationsKeep: 1 };

/** What happens to records between the commit of their chunk and the making of their rows (section 8.1). */
describe('the instance view is right after', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let following: ProjectionWorld;

  beforeEach(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url, SETTINGS);
    following = await ProjectionWorld.open(world, database.url);
  });

  afterEach(async () => {
    await following[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const versionOf = (hrid: string, title: string, matchedId: string, instance?: string): Buffer => {
    const ids: (readonly [string, string])[] = [['s', matchedId]];
    if (instance !== undefined) ids.push(['i', instance]);
    return bib(hrid, title, { more: [dataField('999', 'ff', ids)] });
  };
  const end = (job: string): Promise<void> =>
    world.publish(ImportCompleted, {
      tenantId: TENANT,
      jobExecutionId: idOf(job),
      jobVersion: 9,
      status: 'COMMITTED',
      result: 'SUCCESS',
      counts: { created: 1, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      completedDate: '2026-11-25T06:00:00.000+00:00',
    });
  const expectStatus = async (status: number, answer: Promise<Answer>): Promise<void> => {
    const { status: got, text } = await answer;
    expect([got, got === status ? '' : text]).toEqual([status, '']);
  };
  const titleOf = async (id: string): Promise<string | undefined> => {
    const rows = await world.rows<{ title: string }>(
      'select title from instance where tenant_id = $1 and id = $2',
      [id],
    );
    return rows[0]?.title;
  };

  it('an update, a soft delete and a suppression of records without a row', async () => {
    await following.import(
      'job',
      ['One', 'Two', 'Three', 'Four'].map((one, at) => bib(`c${at}`, one)),
    );
    const [changed, deleted, suppressed] = [0, 1, 2].map(
      (at) => `${RECORDS}/${recordId(at, 'job')}`,
    );
    const { json } = await world.get(changed!);
    const body = structuredClone(json);
    for (const field of body.parsedRecord.content.fields)
      if (field['245']) field['245'].subfields = [{ a: 'Changed' }];
    await expectStatus(200, world.ask('PUT', changed!, { body }));
    await expectStatus(204, world.ask('DELETE', deleted!));
    await expectStatus(
      200,
      world.ask('PUT', `${suppressed}/suppress-from-discovery?suppress=true`),
    );
    expect(await following.pending()).toBe(1);
    await following.expectRight();
    expect(await titleOf(instanceId(0, 'job'))).toBe('Changed');
    expect(await following.hits('cql.allRecords=1')).toBe(3);
    expect(await following.hits('deleted==true')).toBe(1);
    expect(await following.hits('discoverySuppress==true')).toBe(1);
  });

  it('newer generations in other chunks, whatever chunk comes first', async () => {
    await following.import('one', [bib('g1', 'First'), bib('g2', 'Stays')]);
    await following.import('two', [versionOf('g1', 'Second', recordId(0, 'one'))]);
    await following.import('three', [versionOf('g1', 'Third', recordId(0, 'one'))]);
    await following.make(
      'update instance_pending set place = default where place = (select min(place) from instance_pending)',
    );
    expect(await following.pending()).toBe(3);
    await following.expectRight();
    expect(await titleOf(instanceId(0, 'one'))).toBe('Third');
  });

  it('a generation that brings another external id', async () => {
    const moved = idOf('moved');
    await following.import('one', [bib('m1', 'First')]);
    await following.import('two', [versionOf('m1', 'Moved', recordId(0, 'one'), moved)]);
    await following.expectRight();
    expect(await titleOf(instanceId(0, 'one'))).toBeUndefined();
    expect(await titleOf(moved)).toBe('Moved');
  });

  it('twins from imports and from clients', async () => {
    const twins = idOf('instance twins');
    await following.import('one', [
      bib('t1', 'Own'),
      bib('t2', 'One', { more: [ids999ff('t2', twins)] }),
    ]);
    await following.import('two', [
      bib('t3', 'Two', { more: [ids999ff('t3', twins)] }),
      // Of a record whose row is not made yet.
      bib('t4', 'Forged', { more: [ids999ff('t4', instanceId(0, 'one'))] }),
    ]);
    await new RecordClient(world).snapshot();
    const externalIdsHolder = { instanceId: twins, instanceHrid: 't5' };
    await expectStatus(
      201,
      world.ask('POST', RECORDS, { body: bibBody('t5', { externalIdsHolder }) }),
    );
    expect(await following.pending()).toBe(2);
    await following.expectRight();
    expect(await following.hits(`id==${twins}`)).toBe(1);
    const [row] = await world.rows(
      'select title, duplicates from instance where tenant_id = $1 and id = $2',
      [twins],
    );
    // What the client sent is the next generation of the newest one.
    expect(row).toEqual({ title: 'Title of t5', duplicates: 1 });
    expect(await titleOf(instanceId(0, 'one'))).toBe('Forged');
  });

  it('an undo of the import, whose older generations come back', async () => {
    await following.import('one', [bib('u1', 'First')]);
    await following.import('two', [
      versionOf('u1', 'Second', recordId(0, 'one')),
      bib('u2', 'New'),
    ]);
    await end('one');
    await end('two');
    await expectStatus(200, world.ask('POST', `${SNAPSHOTS}/${idOf('two')}/undo`));
    expect(await following.pending()).toBe(2);
    await following.expectRight();
    expect(await following.titles('one')).toEqual(['First']);
    expect(await following.rows()).toHaveLength(1);
  });

  it('an undo that comes while the rows are being made', async () => {
    await following.import('one', [bib('u1', 'First'), bib('u2', 'Second')]);
    await end('one');
    await following.make(
      `create function stop() returns trigger language plpgsql as $$
         begin perform pg_advisory_xact_lock(4711); return old; end $$;
       create trigger stop before delete on instance_pending for each row execute function stop()`,
    );
    const stopped = await following.lock('select pg_advisory_xact_lock(4711)');
    const projecting = following.project();
    while (!(await following.isBlocked()));
    const answers: Answer[] = [];
    const undoing = world.ask('POST', `${SNAPSHOTS}/${idOf('one')}/undo`).then((answer) => {
      answers.push(answer);
      return answer;
    });
    const blocked = async (): Promise<number> => {
      const [row] = await following.admin.query<{ n: number }[]>(
        `select count(*)::int as n from pg_locks where not granted`,
      );
      return row?.n ?? 0;
    };
    while (answers.length === 0 && (await blocked()) < 2);
    await stopped[Symbol.asyncDispose]();
    expect(await projecting).toBe(2);
    await expectStatus(200, undoing);
    expect(await following.rows()).toEqual([]);
    await following.expectRight();
  });

  it('the deletion of the snapshot', async () => {
    await following.import('one', [bib('d1', 'Stays')]);
    await following.import('two', [
      bib('d2', 'Goes'),
      versionOf('d1', 'Newer', recordId(0, 'one')),
    ]);
    await end('one');
    await end('two');
    await expectStatus(204, world.ask('DELETE', `${SNAPSHOTS}/${idOf('two')}`));
    expect(await following.pending()).toBe(2);
    await following.expectRight();
    expect(await following.titles('two')).toEqual([]);
  });

  it('the restoring of an earlier generation', async () => {
    await following.import('one', [bib('r1', 'First')]);
    await following.import('two', [versionOf('r1', 'Second', recordId(0, 'one'))]);
    const target = `${RECORDS}/${recordId(0, 'one')}/restore?generation=0`;
    await expectStatus(201, world.ask('POST', target));
    expect(await following.pending()).toBe(2);
    await following.expectRight();
    expect(await titleOf(instanceId(0, 'one'))).toBe('First');
  });

  it('retention', async () => {
    await following.import('one', [bib('o1', 'First'), bib('o2', 'Gone')]);
    for (const job of ['two', 'three', 'four'])
      await following.import(job, [versionOf('o1', job, recordId(0, 'one'))]);
    await expectStatus(204, world.ask('DELETE', `${RECORDS}/${recordId(1, 'one')}`));
    await following.make(
      `update record set updated_at = now() - interval '31 days' where state = 'DELETED'`,
    );
    const { json } = await world.ask('POST', '/source-storage/retention');
    expect(json).toMatchObject({ deletedRecords: 1, oldGenerations: 2 });
    expect(await following.pending()).toBe(4);
    await following.expectRight();
    expect(await titleOf(instanceId(0, 'one'))).toBe('four');
    expect(await following.rows()).toHaveLength(1);
  });

  it('the making of all rows anew in between', async () => {
    await following.import('one', [bib('a1', 'One'), bib('a2', 'Two')]);
    await following.view.rebuild();
    expect(await following.titles('one')).toEqual(['One', 'Two']);
    await following.expectRight();
  });
});
