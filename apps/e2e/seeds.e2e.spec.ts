import { GFFY } from './src/finance.js';
import { objection, seedTakes } from './src/seed-oracle.js';
import { violationsOf } from './src/seed-violations.js';
import { World, type Person } from './src/world.js';

/*
 * That the seeds' schemas take our answers is checked for every answer of every story (`src/seed-oracle.ts`). Here is the
 * other direction: what a seed's schema refuses is refused by us, with the exact 422 of conventions 15.2.
 */
const ID = '67dfac11-1caf-4470-9ad1-d533f6360bdd';
const metadata = {
  createdDate: '2019-07-22T11:22:07Z',
  createdByUserId: 'dee12548-9cee-45fa-bbae-675c1cc0ce3b',
  createdByUsername: 'janedoeuser',
  updatedDate: '2019-07-27T13:28:54Z',
  updatedByUserId: 'dee12548-9cee-45fa-bbae-675c1cc0ce3b',
  updatedByUsername: '',
};
const file = {
  id: ID,
  sourcePath: 'a',
  name: 'a.mrc',
  jobExecutionId: ID,
  uploadDefinitionId: ID,
  loaded: false,
  createDate: '2019-07-22T11:22:07Z',
};
const definition = {
  id: ID,
  metaJobExecutionId: ID,
  status: 'NEW',
  createDate: '2019-07-22T11:22:07Z',
  fileDefinitions: [file],
  metadata,
};
const snapshot = {
  jobExecutionId: ID,
  status: 'NEW',
  processingStartedDate: '2020-04-29T05:25:03Z',
  metadata,
};
const relation = {
  id: ID,
  _version: 1,
  budgetId: ID,
  groupId: ID,
  fiscalYearId: ID,
  fundId: ID,
};
const SNAPSHOTS = '/source-storage/snapshots';
const DEFINITIONS = '/data-import/upload/definition';

/** Bodies with every property in them, the target they are sent to, and the answer to them as they are. */
const BODIES: readonly (readonly [call: string, target: string, valid: object, status: number])[] =
  [
    [
      'POST /data-export/export',
      '/data-export/export',
      { fileDefinitionId: ID, jobProfileId: ID, recordType: 'INSTANCE', metadata },
      400,
    ],
    [
      'POST /data-export/quick-export',
      '/data-export/quick-export',
      {
        jobProfileId: ID,
        criteria: 'id==x',
        uuids: [ID],
        type: 'uuid',
        recordType: 'INSTANCE',
        fileName: 'a',
        metadata,
      },
      400,
    ],
    [`POST ${DEFINITIONS}`, DEFINITIONS, definition, 201],
    [`PUT ${DEFINITIONS}/{definitionId}`, `${DEFINITIONS}/${ID}`, definition, 404],
    [`POST ${DEFINITIONS}/file`, `${DEFINITIONS}/file`, file, 404],
    [`POST ${SNAPSHOTS}`, SNAPSHOTS, snapshot, 201],
    [`PUT ${SNAPSHOTS}/{jobExecutionId}`, `${SNAPSHOTS}/${ID}`, snapshot, 200],
    [`POST ${GFFY}`, GFFY, relation, 400],
    [`PUT ${GFFY}/{id}`, `${GFFY}/${ID}`, relation, 404],
  ];

const all = BODIES.flatMap(([call, target, valid]) =>
  [...violationsOf(call, valid)].map(
    (violation) => [`${call}: ${violation.what}`, call, target, violation] as const,
  ),
);

describe('what a schema of a seed refuses', () => {
  let world: World;
  let person: Person;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it.each(BODIES)(
    '%s passes the schema when nothing is wrong',
    async (call, target, valid, status) => {
      expect(seedTakes(call, valid)).toBe(true);
      const method = call.split(' ')[0] ?? '';
      expect((await person.send(method, target, { json: valid })).status).toBe(status);
    },
  );

  it.each(all)('is the exact 422: %s', async (_, call, target, violation) => {
    const { body, key, value, message } = violation;
    expect(seedTakes(call, body)).toBe(false);
    const answer = await person.send(call.split(' ')[0] ?? '', target, { json: body });
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual({
      errors: [
        {
          message:
            typeof message === 'string' ? message : (expect.stringMatching(message) as string),
          type: '1',
          code: '-1',
          parameters: [{ key, value }],
        },
      ],
      total_records: 1,
    });
  });
});

describe('the oracle of the stories', () => {
  const list = { method: 'GET', target: 'http://x/data-export/job-executions?limit=1' };
  const answer = (status: number, json: unknown): Parameters<typeof objection>[1] => ({
    status,
    json,
    headers: new Headers(),
  });

  it('takes what the seed takes, and what is of no seed', () => {
    expect(objection(list, answer(200, { jobExecutions: [], totalRecords: 0 }))).toBeUndefined();
    expect(objection({ method: 'GET', target: '/x' }, answer(299, {}))).toBeUndefined();
  });

  it.each([
    ['a property too much', 200, { jobExecutions: [], totalRecords: 0, more: 1 }],
    ['a property of another type', 200, { jobExecutions: [{ hrId: '1' }], totalRecords: 1 }],
    ['a status that nobody declares', 418, undefined],
  ])('objects to %s', (_, status, json) => {
    expect(objection(list, answer(status, json))).toMatch(/^GET \/data-export\/job-executions/);
  });
});
