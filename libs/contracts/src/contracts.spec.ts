import { checkContract } from './check-contract.js';
import { FileDefinition, QuickExport, StartExport } from './data-export.js';
import { EVENTS } from './catalogue.js';
import { formatDate, parseDate } from './dates.js';
import { schemaOf } from './fields.js';
import { uuidV5 } from './ids.js';
import { correctTotal } from './paging.js';
import { ROUTES } from './routes.js';
import { expandPermissions } from './permissions.js';
import { AdditionalInfo, ErrorRecord } from './source-records.js';

const ID = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';

function violationsOf(contract: Parameters<typeof checkContract>[0], value: unknown): string[] {
  const checked = checkContract(contract, value);
  if (!('violations' in checked)) return [];
  return checked.violations.map((one) => `${one.parameters[0]?.key ?? ''}: ${one.message}`);
}

describe('a body is checked by its contract', () => {
  it('reports every violation with its path, unknown properties last', () => {
    expect(violationsOf(StartExport, { fileDefinitionId: 'x', toString: 1 })).toEqual([
      expect.stringMatching(/^fileDefinitionId: must match "/),
      'jobProfileId: may not be null',
      expect.stringMatching(
        /^toString: Unrecognized field "toString", not marked as ignorable \(10 known/,
      ),
    ]);
  });

  it('takes nothing but an object where an object is wanted', () => {
    for (const value of [null, [], 'x', 1])
      expect(violationsOf(StartExport, value)).toEqual([': must be an object']);
  });

  it('treats __proto__ as the unknown property it is and changes no prototype', () => {
    const sent = JSON.parse('{"fileName":"a.csv","__proto__":{"admin":true}}') as object;
    expect(violationsOf(FileDefinition, sent)[0]).toMatch(/^__proto__: Unrecognized field/);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('turns strings that hold exactly a number or boolean into one, and UUIDs into lower case', () => {
    const checked = checkContract(FileDefinition, {
      fileName: 'a.csv',
      size: '25',
      id: ID.toUpperCase(),
    });
    expect(checked).toEqual({ value: { fileName: 'a.csv', size: 25, id: ID } });
  });

  it.each([['x'], [1.5], [-1], [2 ** 53]])('refuses %p for a count', (size) => {
    expect(violationsOf(FileDefinition, { fileName: 'a.csv', size })).toHaveLength(1);
  });

  it('keeps what an open object has besides, if it says so, but nothing that Postgres cannot hold', () => {
    const sent = JSON.parse(
      '{"suppressDiscovery":"true","n":{"__proto__":[null]},"__proto__":1,"gone":null}',
    ) as object;
    const checked = checkContract(AdditionalInfo, sent);
    const value = 'value' in checked ? checked.value : {};
    expect(JSON.stringify(value)).toBe(
      '{"suppressDiscovery":true,"n":{"__proto__":[null]},"__proto__":1}',
    );
    expect(violationsOf(AdditionalInfo, { a: { 'b\0': 1 }, 'c\0': 1, d: ['\udc00'] })).toEqual([
      'a: must not contain U+0000',
      'c\0: must not contain U+0000',
      'd: must be well-formed Unicode',
    ]);
  });

  it('takes a document as an object or a text', () => {
    const about = (content: unknown): string[] =>
      violationsOf(ErrorRecord, { description: '', content });
    for (const content of [{}, { a: [1] }, '', 'text']) expect(about(content)).toEqual([]);
    for (const content of [[], 1, true])
      expect(about(content)).toEqual(['content: must be an object']);
    expect(about(null)).toEqual(['content: may not be null']);
    expect(about({ a: [{ b: '\0' }] })).toEqual(['content: must not contain U+0000']);
  });

  it('names the element of a list', () => {
    expect(
      violationsOf(QuickExport, { type: 'uuid', recordType: 'INSTANCE', uuids: ['x', null] }),
    ).toEqual([expect.stringMatching(/^uuids\[0\]: must match/), 'uuids[1]: may not be null']);
  });

  it('drops what the server owns, but checks the shape of metadata', () => {
    expect(
      checkContract(FileDefinition, {
        fileName: 'a.csv',
        status: 'x',
        metadata: { createdDate: '2020-01-01' },
      }),
    ).toEqual({
      value: { fileName: 'a.csv' },
    });
    expect(violationsOf(FileDefinition, { fileName: 'a.csv', metadata: {} })).toEqual([
      'metadata.createdDate: may not be null',
    ]);
  });

  it('refuses text that Postgres cannot hold', () => {
    expect(violationsOf(FileDefinition, { fileName: 'a\u0000.csv' })).toEqual([
      'fileName: must not contain U+0000',
    ]);
    expect(violationsOf(FileDefinition, { fileName: '\ud800.csv' })).toHaveLength(1);
  });
});

describe('dates', () => {
  it.each([
    ['2020-10-07T13:17:02.263+0000', '2020-10-07T13:17:02.263+00:00'],
    ['2020-10-07T13:17:02Z', '2020-10-07T13:17:02.000+00:00'],
    ['2020-10-07 13:17', '2020-10-07T13:17:00.000+00:00'],
    ['2020-10-07T13:17:02.123456+02', '2020-10-07T11:17:02.123+00:00'],
    ['2020-10-07', '2020-10-07T00:00:00.000+00:00'],
    ['1602076622263', '2020-10-07T13:17:02.263+00:00'],
  ])('reads %s', (text, out) => {
    const date = parseDate(text);
    expect(date && formatDate(date)).toBe(out);
  });

  it.each(['', 'x', '2020-02-31', '2020-13-01', '2020-10-07T25:00', '0000-01-01'])(
    'refuses %p',
    (text) => {
      expect(parseDate(text)).toBeUndefined();
    },
  );
});

it('derives the same id from the same namespace and name', () => {
  // Vector of RFC 9562, appendix A.4.
  expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
    '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  );
});

it.each([
  [0, 20, 0, 0, 20],
  [10, 20, 0, 10, 20],
  [0, 20, 10, 20, 10],
  [10, 30, 10, 20, 20],
  [10, 20, 20, 10, 30],
  [5, 20, 20, 10, 25],
  [0, undefined, 0, 10, undefined],
])(
  'corrects the total: %p rows, total %p, offset %p, limit %p → %p',
  (rows, total, offset, limit, result) => {
    expect(correctTotal(rows, total, { offset, limit })).toBe(result);
  },
);

describe('the catalogue', () => {
  it('has one topic family per service and a schema for every payload', () => {
    for (const event of EVENTS) {
      expect(event.topic).toMatch(new RegExp(`^quire\\.${event.service}\\.[a-z-]+\\.v1$`));
      expect(schemaOf(event.payload)).toMatchObject({ type: 'object' });
    }
  });
});

describe('the route table', () => {
  it('names each method and path once, with a permission, or a reason to have none', () => {
    expect(new Set(ROUTES.map((route) => `${route.method} ${route.path}`)).size).toBe(
      ROUTES.length,
    );
    for (const route of ROUTES) {
      expect(
        route.access === 'permission' ? route.permission : (route.reason ?? route.access),
      ).toBeTruthy();
    }
  });

  it('gives the first user of a tenant everything but the tenants', () => {
    const all = expandPermissions(['quire.all']);
    expect(all.has('data-export.export.post')).toBe(true);
    expect(all.has('okapi.proxy.tenants.post')).toBe(false);
  });
});
