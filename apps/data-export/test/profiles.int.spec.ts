import { LOCK_PERMISSIONS } from '@quire/contracts/data-export-routes';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import {
  DEFAULT_PROFILE,
  ExportWorld,
  idOf,
  PERMISSIONS,
  USER,
  type Answer,
} from './export-world.js';

const DEFAULT_MAPPING = '25d81cbe-9686-11ea-bb37-0242ac130002';
const UNKNOWN = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
const MAY_LOCK = { permissions: [...PERMISSIONS, ...Object.values(LOCK_PERMISSIONS)] };
const LOCKED =
  'This profile is locked. Please unlock the profile to proceed with editing/deletion.';
const isbn = {
  fieldId: 'instance.identifiers.isbn',
  path: "$.instance.identifiers[?(@.identifierTypeId=='8261054f-be78-422d-bd51-4ed9f33c3422')].value",
  recordType: 'INSTANCE',
};

interface Profile {
  readonly metadata: { readonly createdDate: string; readonly updatedDate: string };
  readonly [property: string]: unknown;
}

describe('the profiles of data-export', () => {
  let database: TestDatabase;
  let world: ExportWorld;
  let count = 0;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ExportWorld.start(database.url);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const kinds = {
    job: { path: '/data-export/job-profiles', name: 'JobProfile' },
    mapping: { path: '/data-export/mapping-profiles', name: 'MappingProfile' },
  } as const;
  type Kind = keyof typeof kinds;
  const bodyOf = (kind: Kind, more: object = {}): object => {
    count += 1;
    const own = kind === 'job' ? { mappingProfileId: DEFAULT_MAPPING } : { recordTypes: ['SRS'] };
    return { name: `Profile ${count}`, ...own, ...more };
  };
  const ask = (method: string, kind: Kind, id = '', ask: object = {}): Promise<Answer> =>
    world.ask(method, `${kinds[kind].path}${id === '' ? '' : `/${id}`}`, ask);
  const create = async (kind: Kind, more: object = {}, how: object = {}) => {
    const answer = await ask('POST', kind, '', { body: bodyOf(kind, more), ...how });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json as { id: string; name: string };
  };
  const read = async (kind: Kind, id: string): Promise<Profile> =>
    (await ask('GET', kind, id)).json as Profile;

  it.each<[Kind, string]>([
    ['job', DEFAULT_PROFILE],
    ['mapping', DEFAULT_MAPPING],
  ])('of kind %s are never changed or removed when built in', async (kind, id) => {
    const body = bodyOf(kind);
    expect(await ask('PUT', kind, id, { body })).toMatchObject({
      status: 403,
      text: `Editing of default ${kind} profile is forbidden`,
    });
    expect(await ask('DELETE', kind, id)).toMatchObject({
      status: 403,
      text: `Deletion of default ${kind} profile is forbidden`,
    });
  });

  describe.each<[Kind]>([['job'], ['mapping']])('of kind %s', (kind) => {
    it('are replaced whole, but for who made them', async () => {
      const made = await create(kind, { description: 'first' });
      const before = await read(kind, made.id);
      const body = bodyOf(kind, { default: true, metadata: { createdDate: '2001-01-01' } });
      const put = await ask('PUT', kind, made.id, { body, firstName: 'Ada' });
      expect(put).toMatchObject({ status: 204, text: '' });
      const after = await read(kind, made.id);
      expect(after).toMatchObject({ name: (body as { name: string }).name, default: false });
      expect(after.description).toBeUndefined();
      expect(after.userInfo).toEqual({ firstName: 'Ada', lastName: 'Admin', userName: 'admin' });
      expect(after.metadata.createdDate).toBe(before.metadata.createdDate);
      expect(after.metadata.updatedDate >= before.metadata.updatedDate).toBe(true);
    });

    it('are gone after their removal', async () => {
      const { id } = await create(kind);
      expect(await ask('DELETE', kind, id)).toMatchObject({ status: 204, text: '' });
      expect((await ask('GET', kind, id)).status).toBe(404);
    });

    it('that nobody made cannot be changed or removed', async () => {
      const text = `${kinds[kind].name} with id '${UNKNOWN}' was not found`;
      const body = bodyOf(kind);
      expect(await ask('PUT', kind, UNKNOWN, { body })).toMatchObject({ status: 404, text });
      expect(await ask('DELETE', kind, UNKNOWN)).toMatchObject({ status: 404, text });
      for (const method of ['PUT', 'DELETE'])
        expect(await ask(method, kind, 'nonsense', method === 'PUT' ? { body } : {})).toMatchObject(
          {
            status: 400,
            text: expect.stringMatching(/^Invalid UUID format of id, should be /),
          },
        );
    });

    it('keep the id of their path', async () => {
      const { id, name } = await create(kind);
      const body = bodyOf(kind, { id: UNKNOWN, name });
      expect(await ask('PUT', kind, id, { body })).toMatchObject({
        status: 400,
        text: 'Profile id in the body does not match the path',
      });
      const own = bodyOf(kind, { id: id.toUpperCase(), name });
      expect((await ask('PUT', kind, id, { body: own })).status).toBe(204);
    });

    it('do not take the name of another one', async () => {
      const [one, other] = [await create(kind), await create(kind)];
      const body = bodyOf(kind, { name: ` ${one.name.toUpperCase()} ` });
      const answer = await ask('PUT', kind, other.id, { body });
      expect(answer.status).toBe(422);
      expect(answer.json.errors[0]).toMatchObject({
        message: `name value already exists in table ${kind}_profiles:  ${one.name.toUpperCase()} `,
        code: '-1',
        parameters: [{ key: 'name' }],
      });
    });

    it('are refused with every violation of their shape', async () => {
      const { id } = await create(kind);
      for (const [method, path] of [
        ['POST', ''],
        ['PUT', id],
      ] as const) {
        const answer = await ask(method, kind, path, { body: { name: 1, constructor: 'x' } });
        expect(answer.status).toBe(422);
        const { errors } = answer.json as { errors: { parameters: { key: string }[] }[] };
        expect(errors.map((one) => one.parameters[0]?.key)).toEqual([
          'name',
          kind === 'job' ? 'mappingProfileId' : 'recordTypes',
          'constructor',
        ]);
        expect(answer.json.total_records).toBe(3);
      }
    });

    it('are locked and unlocked by who may, and take no change in between', async () => {
      const locked = await create(kind, { locked: true }, MAY_LOCK);
      const { id, name } = locked;
      const seen = await read(kind, id);
      expect(seen).toMatchObject({ locked: true, lockedBy: USER });
      expect(seen.lockedAt).toBe(seen.metadata.updatedDate);
      for (const change of [{}, { locked: true }])
        expect(
          await ask('PUT', kind, id, { body: bodyOf(kind, change), ...MAY_LOCK }),
        ).toMatchObject({ status: 403, text: LOCKED });
      expect(await ask('DELETE', kind, id, MAY_LOCK)).toMatchObject({ status: 403, text: LOCKED });
      const body = bodyOf(kind, { name, locked: false });
      expect(await ask('PUT', kind, id, { body })).toMatchObject({
        status: 403,
        text: 'You do not have permission to unlock this profile.',
      });
      expect((await ask('PUT', kind, id, { body, ...MAY_LOCK })).status).toBe(204);
      const after = await read(kind, id);
      expect(after.locked).toBe(false);
      expect(after).not.toHaveProperty('lockedBy');
      expect(after).not.toHaveProperty('lockedAt');
      expect(
        await ask('PUT', kind, id, { body: bodyOf(kind, { name, locked: true }) }),
      ).toMatchObject({ status: 403, text: 'You do not have permission to lock this profile.' });
      expect((await ask('DELETE', kind, id)).status).toBe(204);
    });
  });

  it('refer only to mapping profiles that are there', async () => {
    const { id } = await create('job');
    const body = bodyOf('job', { mappingProfileId: UNKNOWN });
    const answer = await ask('PUT', 'job', id, { body });
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0]).toMatchObject({
      message: `Cannot set job_profiles.mappingProfileId = ${UNKNOWN} because it does not exist in mapping_profiles.id.`,
      parameters: [{ key: 'mappingProfileId', value: UNKNOWN }],
    });
  });

  it('keep a mapping profile that job profiles have', async () => {
    const mapping = await create('mapping');
    const jobs = [
      await create('job', { mappingProfileId: mapping.id }),
      await create('job', { mappingProfileId: mapping.id }),
    ];
    const refused = await ask('DELETE', 'mapping', mapping.id);
    expect(refused.status).toBe(422);
    expect(refused.json.errors[0].message).toBe(
      `Cannot delete mapping profile linked to job profiles: [${jobs.map(({ id }) => id).join(', ')}].`,
    );
    for (const { id } of jobs) expect((await ask('DELETE', 'job', id)).status).toBe(204);
    expect((await ask('DELETE', 'mapping', mapping.id)).status).toBe(204);
  });

  it('leave their jobs, with the last name they had', async () => {
    world.has([idOf(0)]);
    const profile = await create('job');
    const job = await world.exported(`${idOf(0)}\njunk`, { jobProfileId: profile.id });
    const used = await world.ask('GET', '/data-export/job-profiles?used=true');
    expect(used.json).toEqual({
      jobProfiles: [{ id: profile.id, name: profile.name }],
      totalRecords: 1,
    });
    const body = bodyOf('job', { name: 'Called otherwise' });
    expect((await ask('PUT', 'job', profile.id, { body })).status).toBe(204);
    expect((await world.job(job.id)).jobProfileName).toBe('Called otherwise');
    expect((await ask('DELETE', 'job', profile.id)).status).toBe(204);
    const after = await world.job(job.id);
    expect(after).not.toHaveProperty('jobProfileId');
    expect(after).toMatchObject({ jobProfileName: 'Called otherwise', progress: job.progress });
    expect(await world.logs(job.id)).toHaveLength(2);
    expect((await world.file(job)).length).toBeGreaterThan(0);
  });

  it('answer a bad value of used by its name', async () => {
    expect(await world.ask('GET', '/data-export/job-profiles?used=maybe')).toMatchObject({
      status: 400,
      text: "'used' parameter is incorrect. parameter value {maybe} is not valid: must be true or false",
    });
  });

  it('keep transformations, formats and suppression as they were sent', async () => {
    const content = {
      recordTypes: ['HOLDINGS', 'ITEM'],
      outputFormat: 'MARC_JSON',
      fieldsSuppression: '900, 910',
      suppress999ff: true,
      transformations: [
        {
          fieldId: 'item.barcode',
          path: '$.holdings[*].items[*].barcode',
          enabled: true,
          transformation: '901  $a',
          recordType: 'ITEM',
          metadataParameters: { a: 'b' },
        },
        { fieldId: 'holdings.callnumber', recordType: 'HOLDINGS' },
      ],
    };
    const made = await create('mapping', content);
    const [barcode, callNumber] = content.transformations;
    const kept = { ...content, transformations: [barcode, { ...callNumber, enabled: false }] };
    expect(made).toMatchObject(kept);
    expect(await read('mapping', made.id)).toEqual(made);
    const body = bodyOf('mapping', { transformations: [{ ...isbn, enabled: 'true' }] });
    expect((await ask('PUT', 'mapping', made.id, { body })).status).toBe(204);
    expect(await read('mapping', made.id)).toMatchObject({
      recordTypes: ['SRS'],
      outputFormat: 'MARC',
      suppress999ff: false,
      transformations: [{ ...isbn, enabled: true }],
    });
  });

  it('are judged on PUT as on POST', async () => {
    const { id } = await create('mapping');
    const bad = bodyOf('mapping', { recordTypes: ['SRS', 'INSTANCE'] });
    expect(await ask('PUT', 'mapping', id, { body: bad })).toMatchObject({
      status: 403,
      text: 'SRS record type cannot be combined together with INSTANCE record type',
    });
    const transformations = [{ ...isbn, transformation: '24500' }];
    const answer = await ask('PUT', 'mapping', id, {
      body: bodyOf('mapping', { transformations }),
    });
    expect(answer.status).toBe(422);
    expect(answer.json.errors[0].parameters).toEqual([
      { key: 'transformations[0].transformation', value: '24500' },
    ]);
  });

  it.each<[object, string, string]>([
    [{ recordTypes: 'SRS' }, 'recordTypes', 'must be an array'],
    [{ recordTypes: ['SRS', 'BIB'] }, 'recordTypes[1]', 'must be one of [INSTANCE, '],
    [{ outputFormat: 'PDF' }, 'outputFormat', 'must be one of [MARC, MARCXML, MARC_JSON]'],
    [{ suppress999ff: 'maybe' }, 'suppress999ff', 'must be a boolean'],
    [{ fieldsSuppression: 900 }, 'fieldsSuppression', 'must be a string'],
    [{ name: 'n'.repeat(1001) }, 'name', 'size must be between 0 and 1000'],
    [{ description: 'd'.repeat(10_001) }, 'description', 'size must be between 0 and 10000'],
    [{ id: 'x' }, 'id', 'must match "'],
    [{ metadata: {} }, 'metadata.createdDate', 'may not be null'],
    [{ transformations: [null] }, 'transformations[0]', 'may not be null'],
    [
      { transformations: [{ recordType: 'ITEM' }] },
      'transformations[0].fieldId',
      'may not be null',
    ],
    [
      { transformations: [{ ...isbn, recordType: 'SRS' }] },
      'transformations[0].recordType',
      'must be one of [INSTANCE, HOLDINGS, ITEM]',
    ],
    [
      { transformations: [{ ...isbn, metadataParameters: { a: 1 } }] },
      'transformations[0].metadataParameters.a',
      'must be a string',
    ],
    [
      { transformations: [{ ...isbn, extra: 1 }] },
      'transformations[0].extra',
      'Unrecognized field "extra", not marked as ignorable',
    ],
    [
      { transformations: Array.from({ length: 2001 }, () => isbn) },
      'transformations',
      'size must be between 0 and 2000',
    ],
  ])('are refused with %j', async (change, key, message) => {
    const answer = await ask('POST', 'mapping', '', { body: bodyOf('mapping', change) });
    expect(answer.status).toBe(422);
    expect(answer.json.errors).toHaveLength(1);
    expect(answer.json.errors[0]).toMatchObject({ type: '1', code: '-1', parameters: [{ key }] });
    expect(String(answer.json.errors[0].message).startsWith(message)).toBe(true);
  });

  it('of jobs are refused with a protocol that is none', async () => {
    const body = bodyOf('job', { protocol: { port: 22, user: 'x' } });
    const { status, json } = await ask('POST', 'job', '', { body });
    expect(status).toBe(422);
    expect(json.errors).toMatchObject([
      { message: 'must be a string', parameters: [{ key: 'protocol.port', value: '22' }] },
      { parameters: [{ key: 'protocol.user', value: 'x' }] },
    ]);
  });

  it('of source records export them, whatever is appended of holdings', async () => {
    world.has([idOf(0)]);
    const mapping = await create('mapping', {
      recordTypes: ['SRS', 'HOLDINGS', 'ITEM'],
      transformations: [
        {
          fieldId: 'holdings.hrid',
          recordType: 'HOLDINGS',
          transformation: '901  $a',
          enabled: true,
        },
      ],
    });
    const profile = await create('job', { mappingProfileId: mapping.id });
    const job = await world.exported(idOf(0), { jobProfileId: profile.id });
    expect(job).toMatchObject({ status: 'COMPLETED', progress: { exported: 1, failed: 0 } });
  });

  it('are made of the transformation fields', async () => {
    const answer = await world.ask('GET', '/data-export/transformation-fields?limit=1');
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(['transformationFields', 'totalRecords']);
    expect(answer.json.transformationFields).toHaveLength(answer.json.totalRecords);
    expect(answer.json.transformationFields).toContainEqual({
      ...isbn,
      displayNameKey: 'instance.identifiers',
      referenceDataValue: 'ISBN',
    });
  });
});
