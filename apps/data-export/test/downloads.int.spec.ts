import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { signLink } from '@quire/auth/signed-link';
import { ExportWorld, idOf, idsOf, recordOf, TENANT, USER, type Job } from './export-world.js';

const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

describe('the download of an export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  let job: Job;
  let fileId: string;
  let link: string;
  const bytes = Buffer.from(
    idsOf(20)
      .map((id) => recordOf(id).toString())
      .join(''),
  );
  const ask = (jobId: string, file: string) =>
    world.ask('GET', `/data-export/job-executions/${jobId}/download/${file}`);

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
    world.has(idsOf(20));
    job = await world.exported(idsOf(20).join('\n'), {}, { fileName: 'Bücher.csv' });
    fileId = job.exportedFiles?.[0]?.fileId ?? '';
    link = (await ask(job.id, fileId)).json.link as string;
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it('is the file, with its length, its mark and its name', async () => {
    const answer = await world.follow(link);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': String(bytes.length),
      'content-type': 'application/marc',
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'content-disposition': `attachment; filename="B_cher-1.mrc"; filename*=UTF-8''B%C3%BCcher-1.mrc`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(answer.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  });

  it('tells the same about itself to HEAD, without bytes', async () => {
    const head = await world.follow(link, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    expect(head.headers.get('etag')).toBe((await world.follow(link)).headers.get('etag'));
  });

  it.each([
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, bytes.length],
    ['bytes=-7', bytes.length - 7, bytes.length],
  ])('gives one range: %s (X16)', async (range, start, end) => {
    const answer = await world.follow(link, { headers: { range } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${bytes.length}`);
    expect(answer.headers.get('content-length')).toBe(String(end - start));
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes.subarray(start, end));
  });

  it('refuses a range behind the end and ignores several', async () => {
    const behind = await world.follow(link, { headers: { range: `bytes=${bytes.length}-` } });
    expect(behind.status).toBe(416);
    expect(behind.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
    const several = await world.follow(link, { headers: { range: 'bytes=0-1,4-5' } });
    expect(several.status).toBe(200);
    const stale = await world.follow(link, { headers: { range: 'bytes=0-1', 'if-range': '"x"' } });
    expect(stale.status).toBe(200);
  });

  it('is refused with a link that was altered or made for something else', async () => {
    const { links } = world.isolated.keys.of('data-export');
    const claims = { tenantId: TENANT, jobId: job.id, fileId, userId: USER };
    const token = (change: object): string =>
      signLink(
        {
          ...claims,
          purpose: 'export',
          expiresAt: new Date(Date.now() + 60_000),
          ...change,
        },
        links,
      );
    const path = (file: string, text: string) =>
      `https://library.example/api/data-export/files/${file}?t=${text}`;
    const status = async (url: string) => {
      const answer = await world.follow(url);
      return [answer.status, await answer.text()];
    };
    expect((await world.follow(path(fileId, token({})))).status).toBe(200);
    for (const bad of [
      `${link}x`,
      path(fileId, ''),
      path(UNKNOWN, token({})),
      path(fileId, token({ purpose: 'part' })),
    ])
      expect(await status(bad)).toEqual([403, 'Link is not valid']);
    expect(await status(path(fileId, token({ expiresAt: new Date(Date.now() - 1) })))).toEqual([
      410,
      'Link has expired',
    ]);
    for (const gone of [token({ jobId: UNKNOWN }), token({ tenantId: 'other' })])
      expect(await status(path(fileId, gone))).toEqual([
        404,
        `Export File with id: ${fileId} not found:`,
      ]);
  });

  it('is refused for what is not there (X15)', async () => {
    for (const id of [UNKNOWN, 'nonsense'])
      expect(await ask(id, fileId)).toMatchObject({
        status: 404,
        text: `Job execution not found with id ${id}`,
      });
    for (const file of [UNKNOWN, 'nonsense'])
      expect(await ask(job.id, file)).toMatchObject({
        status: 404,
        text: `Export File with id: ${file} not found:`,
      });
    const failed = await world.exported(idOf(999));
    const file = failed.exportedFiles?.[0]?.fileId ?? '';
    expect(failed.status).toBe('FAIL');
    expect((await ask(failed.id, file)).status).toBe(404);
  });

  it('is 404 once the bytes are gone from the store', async () => {
    const lost = await world.exported(idOf(0));
    const file = lost.exportedFiles?.[0]?.fileId ?? '';
    const url = (await ask(lost.id, file)).json.link as string;
    for await (const { key } of world.isolated.store.list('export', TENANT))
      await world.isolated.store.remove(key);
    expect((await ask(lost.id, file)).status).toBe(404);
    expect((await world.follow(url)).status).toBe(404);
  });
});
