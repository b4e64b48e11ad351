import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { Sweeps } from '../src/usecases/sweeps.js';
import { Uploads } from '../src/usecases/uploads.js';
import { ExportWorld, idOf, idsOf, TENANT, until, USER } from './export-world.js';

const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

describe('a file of ids', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  const define = (body: unknown) => world.ask('POST', '/data-export/file-definitions', { body });
  const read = (id: string) => world.ask('GET', `/data-export/file-definitions/${id}`);
  const upload = (id: string, bytes: string | Readable) =>
    world.ask('POST', `/data-export/file-definitions/${id}/upload`, {
      bytes,
      headers: { 'content-type': 'application/octet-stream' },
    });
  const defined = async (body: object = {}): Promise<string> =>
    (await define({ fileName: 'ids.csv', ...body })).json.id as string;
  const rows = async (sql: string): Promise<number> => {
    const source = world.isolated.sources.get('data-export');
    if (!source) throw new Error('no source');
    const found = await readTenant(source, { tenantId: TENANT, actorId: USER }, (tx) =>
      tx.query(sql),
    );
    return found.length;
  };

  const change = async (sql: string): Promise<void> => {
    const source = world.isolated.sources.get('data-export');
    if (!source) throw new Error('no source');
    await withTenant(source, { tenantId: TENANT, actorId: USER }, (tx) => tx.execute(sql));
  };

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url, { uploadKilobytesMax: 2000 });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  describe('that is announced', () => {
    it.each(['ids', 'ids.txt', 'a.csv.exe', 'a.exe\u0001.cs', 'a.exe%00.csv', ''])(
      'is refused as %j (X1)',
      async (fileName) => {
        expect(await define({ fileName })).toMatchObject({
          status: 422,
          text: 'File name extension does not corresponds csv format',
        });
      },
    );

    it.each([
      ['IDS.CSV', 'IDS.CSV', 'csv'],
      ['C:\\my\\ids.csv', 'ids.csv', 'csv'],
      ['../../x"y.csv', 'xy.csv', 'csv'],
      ['q.cql', 'q.csv', 'cql'],
    ])('%j is called %j (X2)', async (fileName, shown, uploadFormat) => {
      const made = await define({ fileName });
      expect(made.status).toBe(201);
      expect(made.json).toMatchObject({ fileName: shown, uploadFormat, status: 'NEW' });
      expect(made.json.sourcePath).toBeUndefined();
    });

    it('is refused for its declared size, at exactly one kilobyte too many (X3)', async () => {
      expect((await define({ fileName: 'a.csv', size: 2000 })).status).toBe(201);
      expect(await define({ fileName: 'a.csv', size: 2001 })).toMatchObject({
        status: 413,
        text: "File size is too large: '2001'. Please use file with size less than 2000.",
      });
    });

    it('may bring its id, once', async () => {
      const id = 'ABCDEF12-0000-4000-8000-000000000001';
      expect((await define({ id, fileName: 'a.csv' })).json.id).toBe(id.toLowerCase());
      const again = await define({ id, fileName: 'a.csv' });
      expect(again.status).toBe(422);
      expect(again.json.errors[0]).toMatchObject({
        message: `id value already exists in table file_definitions: ${id.toLowerCase()}`,
        parameters: [{ key: 'id', value: id.toLowerCase() }],
      });
    });

    it('of holdings is no query', async () => {
      expect(await define({ fileName: 'a.cql', idType: 'holding' })).toMatchObject({
        status: 422,
        text: 'Only csv format is supported for holdings export',
      });
    });

    it.each([{}, { fileName: {} }, { fileName: 'a.csv', size: 'x' }, { fileName: 'a.csv', x: 1 }])(
      'is refused as %j',
      async (body) => {
        expect((await define(body)).status).toBe(422);
      },
    );
  });

  describe('that is uploaded', () => {
    it('makes its job, whatever content type it has', async () => {
      const id = await defined();
      expect((await read(id)).json).toMatchObject({ status: 'NEW' });
      const reserved = (await read(id)).json.jobExecutionId as string;
      const jobs = await world.ask('GET', `/data-export/job-executions?query=id==${reserved}`);
      expect(jobs.json).toEqual({ jobExecutions: [], totalRecords: 0 });
      const sent = await world.ask('POST', `/data-export/file-definitions/${id}/upload`, {
        bytes: `${idOf(0)}\nbad\n${idOf(0)}`,
        headers: { 'content-type': 'text/csv' },
      });
      expect(sent).toMatchObject({ status: 200, json: { jobExecutionId: reserved } });
      const job = await world.job(reserved);
      expect(job).toMatchObject({
        status: 'NEW',
        progress: { exported: 0, failed: 2, total: 3 },
      });
      expect(job['startedDate']).toBeUndefined();
      expect((await read(id)).json).toEqual(sent.json);
    });

    it('is taken once (X11)', async () => {
      const id = await defined();
      expect((await upload(id, idOf(0))).status).toBe(200);
      expect(await upload(id, idOf(0))).toMatchObject({
        status: 400,
        text: 'File already uploaded for this FileDefinition',
      });
      expect(await upload(UNKNOWN, idOf(0))).toMatchObject({
        status: 404,
        text: `File definition not found with id ${UNKNOWN}`,
      });
      expect((await upload('nonsense', idOf(0))).status).toBe(400);
      expect((await read('nonsense')).status).toBe(404);
    });

    it('is cut at the limit, leaves nothing, and may be sent again (X4)', async () => {
      const id = await defined();
      const before = await rows('select from export_id');
      const lines = idsOf(60_000).join('\n');
      const cut = await upload(id, Readable.from(lines.match(/[^]{1,65536}/g) ?? []));
      expect(cut.status).toBe(413);
      expect(cut.text).toMatch(
        /^File size is too large: '\d+'\. Please use file with size less than 2000\.$/,
      );
      expect((await read(id)).json.status).toBe('ERROR');
      // Those that did not go with it, the sweep takes.
      world.isolated.services.get('data-export')?.app.get(Sweeps).wake();
      await until(async () => (await rows('select from export_id')) === before);
      expect(await rows('select from object_intent')).toBe(0);
      expect((await upload(id, idOf(0))).status).toBe(200);
      expect((await read(id)).json.status).toBe('COMPLETED');
    });

    it('takes exactly the limit', async () => {
      const id = await defined();
      const bytes = Buffer.alloc(2000 * 1024, ' ');
      bytes.write(idOf(1));
      expect((await upload(id, bytes.toString())).status).toBe(200);
      const over = await defined();
      expect((await upload(over, `${bytes.toString()} `)).status).toBe(413);
    });

    it('is an ERROR when the connection breaks, and another upload is taken', async () => {
      const id = await defined();
      async function* broken(): AsyncGenerator<string> {
        yield `${idsOf(2000).join('\n')}\n`;
        while ((await read(id)).json.status !== 'IN_PROGRESS');
        throw new Error('cable pulled');
      }
      const source = Readable.from(broken());
      const sent = world.ask('POST', `/data-export/file-definitions/${id}/upload`, {
        bytes: source,
        headers: { 'content-type': 'application/octet-stream' },
      });
      source.on('error', () => undefined);
      await expect(sent).rejects.toThrow();
      let { status } = (await read(id)).json;
      for (let tries = 0; status !== 'ERROR' && tries < 3000; tries += 1) {
        await delay(10);
        ({ status } = (await read(id)).json);
      }
      expect(status).toBe('ERROR');
      expect((await upload(id, idOf(0))).status).toBe(200);
    });

    it('is recognised in every usual form (X6)', async () => {
      const [a, b, c, d] = idsOf(4);
      const id = await defined();
      const text = `\ufeff"${a}"\r\n${b},\r\n\r\n\t${c} ;\r${d?.toUpperCase()}`;
      const sent = await upload(id, text);
      expect((await world.job(sent.json.jobExecutionId)).progress).toEqual({
        exported: 0,
        failed: 0,
        total: 4,
      });
    });

    it('has one invalid line where a line is far too long (X8)', async () => {
      const id = await defined();
      const sent = await upload(id, `${'x'.repeat(1_500_000)}\n${idOf(3)}`);
      expect((await world.job(sent.json.jobExecutionId)).progress).toEqual({
        exported: 0,
        failed: 1,
        total: 2,
      });
    });

    it('of random bytes loses only the lines that are hit (X7)', async () => {
      const id = await defined();
      const noise = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 251));
      const sent = await upload(id, Readable.from([noise, `\n${idOf(4)}\n`]));
      const { progress } = await world.job(sent.json.jobExecutionId as string);
      expect((progress['total'] ?? 0) - (progress['failed'] ?? 0)).toBe(1);
    });

    it('whose process died is given back, its rows and its object too', async () => {
      const id = await defined();
      let fed: () => void = () => undefined;
      const fedUp = new Promise<void>((resolve) => (fed = resolve));
      async function* slow(): AsyncGenerator<string> {
        yield `${idsOf(6000, 5000).join('\n')}\n`;
        await fedUp;
        yield idOf(1);
      }
      const sent = upload(id, Readable.from(slow()));
      const mine = `select e.id from export_id e join file_definition f on f.input_id = e.input_id where f.id = '${id}'`;
      await until(async () => (await rows(mine)) > 0);
      const uploads = world.isolated.services.get('data-export')?.app.get(Uploads);
      const scope = { tenantId: TENANT, actorId: USER };
      // Alive: nothing is taken from it.
      await uploads?.recover(scope);
      await uploads?.removeAbandoned(scope, 0);
      expect((await read(id)).json.status).toBe('IN_PROGRESS');
      expect(await upload(id, idOf(0))).toMatchObject({ status: 400 });
      await change(
        `update file_definition set lease_until = now() - interval '1 s' where id = '${id}'`,
      );
      await uploads?.recover(scope);
      expect((await read(id)).json.status).toBe('ERROR');
      expect(await rows(mine)).toBe(0);
      expect((await upload(id, idOf(0))).status).toBe(200);
      // The one thought dead comes back and changes nothing.
      fed();
      expect((await sent).status).toBe(400);
      expect((await read(id)).json.status).toBe('COMPLETED');
      expect(await rows(mine)).toBe(1);
    });
  });
});
