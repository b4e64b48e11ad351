import { TenantKey } from './tenant-key.js';

const uuid = '0b7c3f5e-6f5d-4b8a-9d0e-3c1f2a4b5d6e';

describe('TenantKey', () => {
  it('is written as prefix, tenant and uuid, and read back', () => {
    const key = TenantKey.of('export', 'diku', uuid);
    expect(String(key)).toBe(`export/diku/${uuid}`);
    expect(JSON.stringify({ key })).toBe(`{"key":"export/diku/${uuid}"}`);
    const read = TenantKey.parse(`export/diku/${uuid}`);
    expect([read.prefix, read.tenantId, read.uuid, String(read)]).toEqual([
      'export',
      'diku',
      uuid,
      String(key),
    ]);
  });

  it('takes tenants of one to 31 letters and digits', () => {
    for (const tenant of ['a', 'z9', `a${'0'.repeat(30)}`]) {
      expect(TenantKey.of('records', tenant, uuid).tenantId).toBe(tenant);
    }
  });

  it.each([
    '',
    'A',
    '9a',
    '_a',
    'a-b',
    'a.b',
    '..',
    '.',
    'a/b',
    'a\\b',
    'a\0',
    'a\n',
    'é',
    'ａ',
    'а',
    `a${'0'.repeat(31)}`,
  ])('refuses the tenant %j', (tenant) => {
    expect(() => TenantKey.of('export', tenant, uuid)).toThrow('names no object');
    expect(() => TenantKey.parse(`export/${tenant}/${uuid}`)).toThrow('names no object');
  });

  it.each([
    '',
    '..',
    uuid.toUpperCase(),
    `${uuid} `,
    `${uuid}\n`,
    `{${uuid}}`,
    uuid.replaceAll('-', ''),
    `../${uuid}`,
    `${uuid}/..`,
    `${uuid}.part`,
    uuid.replace('0', '０'),
  ])('refuses the name %j', (name) => {
    expect(() => TenantKey.of('export', 'diku', name)).toThrow('names no object');
    expect(() => TenantKey.parse(`export/diku/${name}`)).toThrow('names no object');
  });

  it.each([
    '',
    '/',
    `/export/diku/${uuid}`,
    `export/diku/${uuid}/`,
    `export//diku/${uuid}`,
    `Export/diku/${uuid}`,
    `exports/diku/${uuid}`,
    `toString/diku/${uuid}`,
    `export/../import/diku/${uuid}`,
    `export/diku`,
  ])('refuses the text %j', (text) => {
    expect(() => TenantKey.parse(text)).toThrow('names no object');
  });

  it('does not repeat a long text in full', () => {
    expect(() => TenantKey.parse('x'.repeat(100_000))).toThrow(/^.{1,200}$/);
  });
});
