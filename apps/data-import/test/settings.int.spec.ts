import { readTenant } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource } from 'typeorm';
import { ImportTenantSettings } from '../src/db/tenant-settings.js';
import {
  ImportWorld,
  OTHER_TENANT,
  TENANT,
  USER_ID,
  violationOf,
  type Answer,
} from './import-world.js';

const SETTINGS = '/data-import/settings';
const PROFILE_ID = 'e34d7b92-9b83-11eb-a8b3-0242ac130003';

describe('tenant settings', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const put = (key: string, value: unknown): Promise<Answer> =>
    world.ask('PUT', `${SETTINGS}/${key}`, { body: { value } });

  const shown = async (key: string, tenant = TENANT): Promise<unknown> => {
    const { json } = await world.get(SETTINGS, { tenant });
    return (json.settings as { key: string; value: unknown }[]).find((one) => one.key === key)
      ?.value;
  };

  it('show their defaults and what they are for', async () => {
    const { status, json } = await world.get(SETTINGS, { tenant: OTHER_TENANT });
    expect(status).toBe(200);
    expect(json.totalRecords).toBe(json.settings.length);
    expect(
      Object.fromEntries(
        (json.settings as { key: string; default: unknown }[]).map((one) => [one.key, one.default]),
      ),
    ).toEqual({
      AUTO_PROCESS: 'off',
      ASSIGN_INSTANCE_IDS: true,
      DUPLICATE_FILE: 'warn',
      ONLINE_IDLE_MINUTES: 10,
      LARGE_FILE_UPLOAD: false,
      DRAFT_DAYS: 7,
    });
    for (const one of json.settings as object[])
      expect(one).toEqual({
        key: expect.any(String),
        value: (one as { default: unknown }).default,
        default: (one as { default: unknown }).default,
        description: expect.stringMatching(/\.$/),
      });
  });

  it.each([
    ['AUTO_PROCESS', PROFILE_ID.toUpperCase(), PROFILE_ID],
    ['AUTO_PROCESS', 'on', 'on'],
    ['ASSIGN_INSTANCE_IDS', false, false],
    ['DUPLICATE_FILE', 'reject', 'reject'],
    ['ONLINE_IDLE_MINUTES', '25', 25],
    ['LARGE_FILE_UPLOAD', 'true', true],
  ])('are set for their tenant alone, and set back by null: %s', async (key, value, kept) => {
    const preset = await shown(key, OTHER_TENANT);
    expect(await put(key, value)).toMatchObject({ status: 204, text: '' });
    expect(await shown(key)).toBe(kept);
    expect(await shown(key, OTHER_TENANT)).toBe(preset);
    expect((await put(key, null)).status).toBe(204);
    expect(await shown(key)).toBe(preset);
  });

  it.each([
    ['AUTO_PROCESS', 'sometimes', 'must be one of [off, on] or the id of a job profile'],
    ['AUTO_PROCESS', true, 'must be one of [off, on] or the id of a job profile'],
    ['DUPLICATE_FILE', 'WARN', 'must be one of [warn, reject, off]'],
    ['ASSIGN_INSTANCE_IDS', 1, 'must be a boolean'],
    ['ONLINE_IDLE_MINUTES', 0, 'must be greater than or equal to 1'],
    ['ONLINE_IDLE_MINUTES', 1441, 'must be less than or equal to 1440'],
    ['ONLINE_IDLE_MINUTES', [], 'must be an integer'],
  ])('refuse a bad value: %s %p', async (key, value, message) => {
    const before = await shown(key);
    expect(violationOf(await put(key, value))).toEqual({
      message,
      type: '1',
      code: '-1',
      parameters: [
        { key: 'value', value: typeof value === 'string' ? value : JSON.stringify(value) },
      ],
    });
    expect(await shown(key)).toBe(before);
  });

  it('know no other keys', async () => {
    for (const key of ['COLOUR', 'auto_process', 'toString', '__proto__'])
      expect(await put(key, 'x')).toMatchObject({ status: 404, text: 'Not found' });
  });

  it('need their own permissions', async () => {
    const readOnly = { permissions: ['quire.settings.item.get'] };
    expect((await world.get(SETTINGS, readOnly)).status).toBe(200);
    const target = `${SETTINGS}/DUPLICATE_FILE`;
    expect((await world.ask('PUT', target, { ...readOnly, body: { value: 'off' } })).status).toBe(
      403,
    );
    expect((await world.get(SETTINGS, { permissions: ['data-import.upload.all'] })).status).toBe(
      403,
    );
  });

  it('are written down with who changed them', async () => {
    await put('DRAFT_DAYS', 30);
    expect(
      await world.rows(
        `select actor, details from audit where tenant_id = $1 and action = 'setting changed' and subject = $2`,
        ['DRAFT_DAYS'],
      ),
    ).toEqual([{ actor: USER_ID, details: { value: 30 } }]);
  });

  it('count as their default when an earlier release kept what this one does not know', async () => {
    await world.change(`insert into setting (tenant_id, key, value) values ($1, $2, '"ask"')`, [
      'DUPLICATE_FILE',
    ]);
    const { app } = world.isolated.services.get('data-import') ?? {};
    if (!app) throw new Error('data-import is not started');
    const scope = { tenantId: TENANT, actorId: USER_ID };
    const read = await readTenant(app.get(DataSource), scope, (tx) =>
      app.get(ImportTenantSettings).read(tx, 'DUPLICATE_FILE'),
    );
    expect(read).toBe('warn');
  });
});
