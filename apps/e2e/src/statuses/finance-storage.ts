import { GFFY, makeGffy, makeReferences } from '../finance.js';
import type { Answer, Person } from '../world.js';
import { brokenJson, FAULT, lines, TENANT_ONLY, UNKNOWN, type DeclaredStatus } from './line.js';

/** Seed 003. */
const ONE = `${GFFY}/{id}`;
const UNKNOWN_TRIPLE = { groupId: UNKNOWN, fundId: UNKNOWN, fiscalYearId: UNKNOWN };
const WITHOUT_BODY =
  'no input: there is no body, and what is wrong with a path or a parameter is 400 or 404 (conventions, 8 and 10)';

/** Makes a relation and gives its path. */
const made = async (person: Person): Promise<string> => `${GFFY}/${(await makeGffy(person)).id}`;

/** Changes nothing of a new relation, but the version that the request names. */
async function put(person: Person, change: object): Promise<Answer> {
  const stored = await makeGffy(person);
  return person.send('PUT', `${GFFY}/${stored.id}`, { json: { ...stored, ...change } });
}

export const financeStorage: readonly DeclaredStatus[] = [
  ...lines(
    '003',
    `GET ${GFFY}`,
    { status: 200, by: 'no parameter', send: ({ person }) => person.send('GET', GFFY) },
    {
      status: 400,
      by: 'a query with a fault',
      send: ({ person }) => person.send('GET', `${GFFY}?query=group.name==`),
    },
    { status: 401, by: 'no token', send: ({ world }) => world.send('GET', GFFY, TENANT_ONLY) },
    { status: 422, by: WITHOUT_BODY },
    FAULT,
  ),
  ...lines(
    '003',
    `POST ${GFFY}`,
    {
      status: 201,
      by: 'a group, a fund and a fiscal year',
      send: async ({ person }) => person.send('POST', GFFY, { json: await makeReferences(person) }),
    },
    {
      status: 400,
      by: 'a body that is no JSON',
      send: ({ person }) => brokenJson(person, 'POST', GFFY),
    },
    {
      status: 401,
      by: 'no token',
      send: ({ world }) => world.send('POST', GFFY, { ...TENANT_ONLY, json: UNKNOWN_TRIPLE }),
    },
    {
      status: 422,
      by: 'no group',
      send: ({ person }) =>
        person.send('POST', GFFY, { json: { ...UNKNOWN_TRIPLE, groupId: null } }),
    },
    FAULT,
  ),
  ...lines(
    '003',
    `GET ${ONE}`,
    {
      status: 200,
      by: 'a relation that is there',
      send: async ({ person }) => person.send('GET', await made(person)),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('GET', `${GFFY}/${UNKNOWN}`),
    },
    { status: 422, by: WITHOUT_BODY },
    FAULT,
  ),
  ...lines(
    '003',
    `DELETE ${ONE}`,
    {
      status: 204,
      by: 'a relation that is there',
      send: async ({ person }) => person.send('DELETE', await made(person)),
    },
    {
      status: 400,
      by: 'an id that is no UUID',
      send: ({ person }) => person.send('DELETE', `${GFFY}/x`),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('DELETE', `${GFFY}/${UNKNOWN}`),
    },
    { status: 422, by: WITHOUT_BODY },
    FAULT,
  ),
  ...lines(
    '003',
    `PUT ${ONE}`,
    { status: 204, by: 'the stored version', send: ({ person }) => put(person, {}) },
    {
      status: 400,
      by: 'an unknown group',
      send: ({ person }) => put(person, { groupId: UNKNOWN }),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('PUT', `${GFFY}/${UNKNOWN}`, { json: UNKNOWN_TRIPLE }),
    },
    { status: 409, by: 'another version', send: ({ person }) => put(person, { _version: 7 }) },
    {
      status: 422,
      by: 'a fund that is no UUID',
      send: ({ person }) => put(person, { fundId: 'x' }),
    },
    FAULT,
  ),
];
