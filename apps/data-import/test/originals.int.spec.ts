import { randomUUID } from 'node:crypto';
import { createHash } from 'node:crypto';
import { signLink } from '@quire/auth/signed-link';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import {
  CURRENT,
  ImportWorld,
  OTHER_TENANT,
  TENANT,
  USER_ID,
  type Answer,
  type Drafted,
} from './import-world.js';

const BYTES = marcRecord({ fields: [['001', 'a1']] });
const HOUR_MS = 3_600_000;

/** Data-import, 3.4; reliability, section 13. */
describe('the original of an import', () => {
  let database: TestDatabase;
  let world: ImportWorld;
  let drafted: Drafted;
  let link: string;
  let now = new Date();

  const issue = (jobId: string, tenant = TENANT): Promise<Answer> =>
    world.get(`/data-import/jobExecutions/${jobId}/downloadUrl`, { tenant });

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url, {}, { now: () => now });
    drafted = await world.draft('dir/Bücher "x".mrc');
    await world.upload(drafted, BYTES);
    const { status, json } = await issue(drafted.jobId);
    expect(status).toBe(200);
    link = json.url;
  });

  beforeEach(() => {
    now = new Date();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  it("is behind a link on the gateway's own address", () => {
    expect(link).toMatch(
      new RegExp(`^https://library.example/api/data-import/links/originals/${drafted.jobId}\\?t=`),
    );
  });

  it('is the file as it came, under the last part of its name', async () => {
    const answer = await world.follow(link);
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': String(BYTES.length),
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="B_cher _x_.mrc"; filename*=UTF-8''B%C3%BCcher%20%22x%22.mrc`,
      'accept-ranges': 'bytes',
      etag: `"${createHash('sha256').update(BYTES).digest('hex')}"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(BYTES);
  });

  it('tells the same about itself to HEAD, without bytes', async () => {
    const head = await world.follow(link, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(BYTES.length)]);
  });

  it('gives one range of bytes', async () => {
    const part = await world.follow(link, { headers: { range: 'bytes=5-9' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 5-9/${BYTES.length}`);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(BYTES.subarray(5, 10));
    const behind = await world.follow(link, { headers: { range: `bytes=${BYTES.length}-` } });
    expect(behind.status).toBe(416);
    const several = await world.follow(link, { headers: { range: 'bytes=0-1,4-5' } });
    expect(several.status).toBe(200);
  });

  it('may be fetched for an hour', async () => {
    const { json } = await issue(drafted.jobId);
    now = new Date(now.getTime() + HOUR_MS - 60_000);
    expect((await world.follow(json.url)).status).toBe(200);
    now = new Date(now.getTime() + 120_000);
    const late = await world.follow(json.url);
    expect([late.status, await late.text()]).toEqual([410, 'Link has expired']);
  });

  it('refuses a link that was altered, is for another job or for something else', async () => {
    const other = await world.draft();
    await world.upload(other, BYTES);
    const keys = world.isolated.keys.of('data-import').links;
    const facts = {
      tenantId: TENANT,
      jobId: drafted.jobId,
      fileId: drafted.jobId,
      userId: USER_ID,
      expiresAt: new Date(now.getTime() + HOUR_MS),
    };
    const path = link.slice(0, link.indexOf('?'));
    for (const bad of [
      `${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}`,
      link.replace(drafted.jobId, other.jobId),
      path,
      `${path}?t=`,
      `${path}?t=x.y.z`,
      `${path}?t=${signLink({ ...facts, purpose: 'part' }, keys)}`,
    ]) {
      const answer = await world.follow(bad);
      expect([bad, answer.status, await answer.text()]).toEqual([bad, 403, 'Link is not valid']);
    }
  });

  it('is there while the job runs and after, also when its file left the definition', async () => {
    const running = await world.start(marcRecord({ fields: [['001', randomUUID()]] }));
    await world.ask('DELETE', `${CURRENT}/${running.id}/files/${running.fileId}`);
    expect((await issue(running.jobId)).status).toBe(200);
    for (const chunk of await world.sent.of(running.jobId, 1)) await world.saved(chunk);
    expect((await world.job(running.jobId)).status).toBe('COMMITTED');
    const { json } = await issue(running.jobId);
    expect((await world.follow(json.url)).status).toBe(200);
  });

  it('is Not found for a job without file, of another tenant, or that nobody knows', async () => {
    const none = { status: 404, text: 'Not found' };
    expect(await issue((await world.draft()).jobId)).toMatchObject(none);
    expect(await issue(drafted.jobId, OTHER_TENANT)).toMatchObject(none);
    expect(await issue(randomUUID())).toMatchObject(none);
    expect(await issue('abc')).toMatchObject(none);
  });

  it('is Not found once it is gone, for links given before too', async () => {
    const removed = await world.draft();
    await world.upload(removed, BYTES);
    const { json } = await issue(removed.jobId);
    await world.isolated.store.remove(await world.objectOf(removed.fileId));
    expect(await issue(removed.jobId)).toMatchObject({ status: 404, text: 'Not found' });
    const answer = await world.follow(json.url);
    expect([answer.status, await answer.text()]).toEqual([404, 'Not found']);
  });

  it('is given and fetched on the record', async () => {
    const asked = await world.draft();
    await world.upload(asked, BYTES);
    const { json } = await issue(asked.jobId);
    await world.follow(json.url);
    expect(
      await world.rows(
        'select actor, action from audit where tenant_id = $1 and subject = $2 order by at',
        [asked.jobId],
      ),
    ).toEqual([
      { actor: USER_ID, action: 'import.link issued' },
      { actor: USER_ID, action: 'import.link used' },
    ]);
  });

  it('needs the permission for its link', async () => {
    const answer = await world.get(`/data-import/jobExecutions/${drafted.jobId}/downloadUrl`, {
      permissions: ['change-manager.jobExecutions.item.get'],
    });
    expect(answer.status).toBe(403);
  });
});
