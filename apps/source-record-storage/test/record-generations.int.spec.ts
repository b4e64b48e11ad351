import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { bib, ids999ff } from './library.js';
import { idOf } from './chunk-source.js';
import { RecordWorld, type Answer } from './record-world.js';
import { authorityBody, bibBody, ff, RecordClient, type Json } from './sent-records.js';

/** Generations of records that are saved one by one (source-record-storage, 2.5), and `PUT …/{matchedId}/generation`. */
describe('the generation of a record', () => {
  let database: TestDatabase;
  let world: RecordWorld;
  let client: RecordClient;

  beforeAll(async () => {
    database = await testDatabase();
    world = await RecordWorld.start(database.url);
    client = new RecordClient(world);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const DUPLICATE = { status: 409, text: 'Incoming file may contain duplicates' };
  const DUPLICATE_GENERATION = {
    status: 400,
    text:
      'Incoming record could be a duplicate, incoming record generation should not be the same as matched record generation ' +
      'and the execution of job should be started after of creating the previous record generation',
  };

  /** The record `name` as snapshot `job` sends it, under an id of its own. */
  const sent = (name: string, job: string, changes: Json = {}): Json =>
    authorityBody(
      name,
      { id: idOf(`${name} of ${job}`), snapshotId: idOf(job), ...changes },
      ff(idOf(name)),
    );
  const stored = (name: string): Promise<{ id: string; generation: number; state: string }[]> =>
    world.rows(
      'select id, generation, state from record where tenant_id = $1 and matched_id = $2 order by generation, id',
      [idOf(name)],
    );

  it('is 1 after the first one is committed, which is old then', async () => {
    await client.snapshot('a1');
    expect(await client.save(sent('a', 'a1'))).toMatchObject({ generation: 0, state: 'ACTUAL' });
    await client.snapshot('a1', 'COMMITTED');
    await client.snapshot('a2');
    expect(await client.save(sent('a', 'a2'))).toMatchObject({ generation: 1, state: 'ACTUAL' });
    expect(await stored('a')).toMatchObject([
      { id: idOf('a of a1'), generation: 0, state: 'OLD' },
      { id: idOf('a of a2'), generation: 1, state: 'ACTUAL' },
    ]);
  });

  it.each(['ERROR', 'CANCELLED'] as const)(
    'follows one of a snapshot that ended as %s',
    async (status) => {
      await client.snapshot(`${status} 1`);
      await client.save(sent(status, `${status} 1`));
      await client.snapshot(`${status} 1`, status);
      // Started before the other was touched for the last time: only its end counts.
      await client.snapshot(`${status} 2`, 'PARSING_FINISHED', {
        processingStartedDate: '2020-01-01',
      });
      expect(await client.save(sent(status, `${status} 2`))).toMatchObject({ generation: 1 });
    },
  );

  it('goes 0, 1, 2, 3 through four snapshots with the same id, whose former contents are kept', async () => {
    const generations: number[] = [];
    for (const job of ['b1', 'b2', 'b3', 'b4']) {
      await client.snapshot(job);
      const saved = await client.save(bibBody('b', { snapshotId: idOf(job) }));
      generations.push(saved.generation);
      await client.snapshot(job, 'COMMITTED');
    }
    expect(generations).toEqual([0, 1, 2, 3]);
    expect(await stored('b')).toEqual([{ id: idOf('b'), generation: 3, state: 'ACTUAL' }]);
    const kept = await world.rows<{ generation: number; replaced_in: string }>(
      `select (row->>'generation')::int as generation, replaced_in from record_history
       where tenant_id = $1 and record_id = $2 order by place`,
      [idOf('b')],
    );
    expect(kept).toEqual([
      { generation: 0, replaced_in: idOf('b2') },
      { generation: 1, replaced_in: idOf('b3') },
      { generation: 2, replaced_in: idOf('b4') },
    ]);
  });

  it('is 1 when the first snapshot runs, but was not touched since the second started', async () => {
    await client.snapshot('c1');
    await client.save(sent('c', 'c1'));
    await client.snapshot('c2');
    expect(await client.save(sent('c', 'c2'))).toMatchObject({ generation: 1 });
  });

  it('collides when the first runs and the second started before; nothing is changed', async () => {
    await client.snapshot('d1');
    await client.save(sent('d', 'd1'));
    await client.snapshot('d2', 'PARSING_FINISHED', { processingStartedDate: '2020-01-01' });
    expect(await client.post(sent('d', 'd2'))).toMatchObject(DUPLICATE);
    expect(await stored('d')).toEqual([{ id: idOf('d of d1'), generation: 0, state: 'ACTUAL' }]);
    expect((await client.get(idOf('d of d2'))).status).toBe(404);
  });

  it('is the sent one when that is larger than all, and not when it is not', async () => {
    await client.snapshot('e1');
    expect(await client.save(sent('e', 'e1', { generation: 5 }))).toMatchObject({ generation: 5 });
    await client.snapshot('e1', 'COMMITTED');
    await client.snapshot('e2');
    expect(await client.save(sent('e', 'e2', { generation: 5 }))).toMatchObject({ generation: 6 });
    await client.snapshot('e2', 'COMMITTED');
    await client.snapshot('e3');
    expect(await client.save(sent('e', 'e3', { generation: '9' }))).toMatchObject({
      generation: 9,
    });
    expect((await stored('e')).map(({ state }) => state)).toEqual(['OLD', 'OLD', 'ACTUAL']);
  });

  it('collides with the same record under another id in one snapshot', async () => {
    await client.snapshot('f');
    await client.save(sent('f', 'f', { generation: 5 }));
    expect(await client.post(sent('f', 'f', { id: idOf('f again') }))).toMatchObject(DUPLICATE);
    expect(await stored('f')).toEqual([{ id: idOf('f of f'), generation: 5, state: 'ACTUAL' }]);
  });

  it('stays when the same record is sent once more in one snapshot', async () => {
    await client.snapshot('g1');
    await client.save(sent('g', 'g1'));
    await client.snapshot('g1', 'COMMITTED');
    await client.snapshot('g2');
    await client.save(sent('g', 'g2'));
    const again = await client.save(sent('g', 'g2', { order: 3 }));
    expect(again).toMatchObject({ generation: 1, order: 3, state: 'ACTUAL' });
    expect((await stored('g')).map(({ state }) => state)).toEqual(['OLD', 'ACTUAL']);
  });

  it('replaces every part of the row with that id, and keeps who made it and when', async () => {
    await client.snapshot('h');
    const errorRecord = { description: 'odd', content: { was: 'here' } };
    const long = 'x'.repeat(70_000);
    const first = await client.save(
      authorityBody('h', {
        snapshotId: idOf('h'),
        errorRecord,
        rawRecord: { content: long },
        order: 1,
      }),
    );
    const second = await client.save(
      authorityBody('h', { snapshotId: idOf('h'), parsedRecord: undefined }),
    );
    expect(second).not.toHaveProperty('errorRecord');
    expect(second).not.toHaveProperty('parsedRecord');
    expect(second).not.toHaveProperty('order');
    expect(second.rawRecord.content).toBe('raw h');
    expect(second.metadata.createdDate).toBe(first.metadata.createdDate);
    // Nobody refers to the long raw record any more: it will be swept.
    const discarded = await world.rows('select key from object_intent where tenant_id = $1');
    expect(discarded).toHaveLength(1);
  });

  it('does not make a draft displace the record that is current', async () => {
    await client.snapshot('i1');
    await client.save(sent('i', 'i1'));
    await client.snapshot('i1', 'COMMITTED');
    await client.snapshot('i2');
    await client.save(sent('i', 'i2', { state: 'DRAFT' }));
    expect(await stored('i')).toMatchObject([
      { state: 'ACTUAL' },
      { generation: 1, state: 'DRAFT' },
    ]);
  });

  describe('when many write at once', () => {
    const statuses = (answers: readonly Answer[]): number[] =>
      answers.map(({ status }) => status).sort();
    const current = async (name: string): Promise<number> =>
      (await stored(name)).filter(({ state }) => state === 'ACTUAL' || state === 'DELETED').length;

    it('leaves one current row: a record that is new', async () => {
      await client.snapshot('j');
      const ids = Array.from({ length: 8 }, (_, at) => idOf(`j${at}`));
      const answers = await Promise.all(ids.map((id) => client.post(sent('j', 'j', { id }))));
      expect(statuses(answers)).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
      expect(await stored('j')).toMatchObject([{ generation: 0, state: 'ACTUAL' }]);
    });

    it('leaves one current row: generations that each of them names', async () => {
      await client.snapshot('k');
      const numbers = Array.from({ length: 8 }, (_, at) => at);
      const answers = await Promise.all(
        numbers.map((at) =>
          client.post(sent('k', 'k', { id: idOf(`k${at}`), generation: at * 3 })),
        ),
      );
      for (const { status } of answers) expect([201, 409]).toContain(status);
      expect(await current('k')).toBe(1);
      const generations = (await stored('k')).map(({ generation }) => generation);
      expect(new Set(generations).size).toBe(generations.length);
      expect((await stored('k')).at(-1)?.state).toBe('ACTUAL');
    });

    it('leaves one current row: new generations, deletions and changes of one record', async () => {
      await client.snapshot('l0');
      const { id } = await client.save(bibBody('l', { snapshotId: idOf('l0') }));
      await client.snapshot('l0', 'COMMITTED');
      const jobs = ['l1', 'l2', 'l3', 'l4'];
      for (const job of jobs) await client.snapshot(job);
      const posts = jobs.map((job) =>
        client.post(bibBody('l', { id: idOf(`l of ${job}`), snapshotId: idOf(job) })),
      );
      const others = [
        world.ask('DELETE', `/source-storage/records/${id}?idType=RECORD`),
        world.ask('POST', `/source-storage/records/${id}/un-delete`),
        client.put(`${id}/suppress-from-discovery`, {}),
        client.put(id, bibBody('l', { snapshotId: idOf('l0') })),
      ];
      const answers = await Promise.all([...posts, ...others]);
      for (const { status } of answers) expect([200, 201, 204, 409]).toContain(status);
      expect(await current('l')).toBe(1);
    });

    it.each([false, true])(
      'leaves one current row beside an import of the same record; its generation is sent: %s',
      async (isSent) => {
        const name = `m ${isSent}`;
        const file = (job: string) =>
          world.send(
            [bib(name, 'Imported', { more: [ids999ff(name, idOf(`instance ${name}`))] })],
            {
              job,
              options: { on999ff: 'accept' },
            },
          );
        await file(`${name} first`);
        for (let round = 1; round <= 6; round += 1) {
          const job = `${name} by REST ${round}`;
          await client.snapshot(job);
          const body = bibBody(
            name,
            {
              id: idOf(job),
              snapshotId: idOf(job),
              ...(isSent ? { generation: 100 * round } : {}),
            },
            ff(idOf(name)),
          );
          const [answer] = await Promise.all([
            client.post(body),
            file(`${name} imported ${round}`),
          ]);
          expect([201, 409]).toContain(answer.status);
          expect(await current(name)).toBe(1);
        }
        const generations = (await stored(name)).map(({ generation }) => generation);
        expect(new Set(generations).size).toBe(generations.length);
      },
    );
  });

  describe('PUT /source-storage/records/{matchedId}/generation', () => {
    const put = (matchedId: string, body: Json): Promise<Answer> =>
      client.put(`${matchedId}/generation`, body);

    it('makes a new generation under a new id', async () => {
      await client.snapshot('n1');
      const first = await client.save(bibBody('n', { snapshotId: idOf('n1') }));
      await client.snapshot('n1', 'COMMITTED');
      await client.snapshot('n2');
      const body = bibBody('n', { snapshotId: idOf('n2') }, ff(idOf('n')));
      const { status, json } = await put(idOf('n').toUpperCase(), body);
      expect(status).toBe(200);
      expect(json).toMatchObject({ matchedId: idOf('n'), generation: 1, snapshotId: idOf('n2') });
      expect(json.id).not.toBe(first.id);
      expect((await client.get(first.id)).json.state).toBe('OLD');
      expect((await client.get(json.id)).json).toEqual(json);
    });

    it('refuses another matched id than that of the path', async () => {
      const body = bibBody('o', {}, ff(idOf('other')));
      expect(await put(idOf('o'), body)).toMatchObject({
        status: 400,
        text: `Matched id (${idOf('o')}) not equal to 999ff$s (${idOf('other')}) field`,
      });
      const text = `Matched id (${idOf('o')}) not equal to 999ff$s (null) field`;
      expect(await put(idOf('o'), bibBody('o'))).toMatchObject({ status: 400, text });
      const unreadable = bibBody('o', { parsedRecord: { content: 'nothing' } });
      expect(await put(idOf('o'), unreadable)).toMatchObject({ status: 400, text });
    });

    it('does not find what has no current record', async () => {
      const text = `Record with given matched id (${idOf('p')}) not found`;
      const body = bibBody('p', {}, ff(idOf('p')));
      expect(await put(idOf('p'), body)).toMatchObject({ status: 404, text });
      await client.snapshot('p');
      await client.save(bibBody('p', { snapshotId: idOf('p'), state: 'OLD' }));
      expect(await put(idOf('p'), body)).toMatchObject({ status: 404, text });
    });

    it('checks the rest as a POST does', async () => {
      await client.snapshot('q');
      await client.save(bibBody('q', { snapshotId: idOf('q') }));
      const incomplete = { externalIdsHolder: undefined, snapshotId: idOf('nowhere') };
      expect(await put(idOf('q'), bibBody('q', incomplete, ff(idOf('q'))))).toMatchObject({
        status: 400,
        text: "MARC_BIB records must contain external instance and hr id's and 001 field into parsed record",
      });
      const nowhere = bibBody('q', { snapshotId: idOf('nowhere') }, ff(idOf('q')));
      expect(await put(idOf('q'), nowhere)).toMatchObject({
        status: 404,
        text: `Snapshot with id '${idOf('nowhere')}' was not found`,
      });
      const { status, text } = await put('1', nowhere);
      expect(status).toBe(400);
      expect(text).toMatch(/^Invalid UUID format of id, should be/);
      expect((await put(idOf('q'), {})).status).toBe(422);
    });

    it('refuses a generation that collides', async () => {
      await client.snapshot('r');
      await client.save(bibBody('r', { snapshotId: idOf('r') }));
      const body = bibBody('r', { snapshotId: idOf('r') }, ff(idOf('r')));
      expect(await put(idOf('r'), body)).toMatchObject(DUPLICATE_GENERATION);
      expect(await stored('r')).toHaveLength(1);
    });
  });
});
