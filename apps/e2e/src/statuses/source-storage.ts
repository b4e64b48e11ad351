import { randomUUID } from 'node:crypto';
import type { Answer, Person } from '../world.js';
import { brokenJson, FAULT, lines, TENANT_ONLY, UNKNOWN, type DeclaredStatus } from './line.js';

/** Seed 002. */
const SNAPSHOTS = '/source-storage/snapshots';
const ONE = `${SNAPSHOTS}/{jobExecutionId}`;
const NEW = { status: 'NEW' } as const;

/** Makes a snapshot and gives its path. */
async function made(person: Person): Promise<string> {
  const jobExecutionId = randomUUID();
  await person.post(SNAPSHOTS, { jobExecutionId, ...NEW });
  return `${SNAPSHOTS}/${jobExecutionId}`;
}

const put = async (person: Person, headers: Readonly<Record<string, string>>): Promise<Answer> => {
  const path = await made(person);
  const jobExecutionId = path.slice(SNAPSHOTS.length + 1);
  return person.send('PUT', path, { headers, json: { jobExecutionId, status: 'COMMITTED' } });
};

export const sourceStorage: readonly DeclaredStatus[] = [
  ...lines(
    '002',
    `POST ${SNAPSHOTS}`,
    {
      status: 201,
      by: 'an id and a status',
      send: ({ person }) =>
        person.send('POST', SNAPSHOTS, { json: { jobExecutionId: randomUUID(), ...NEW } }),
    },
    {
      status: 400,
      by: 'a body that is no JSON',
      send: ({ person }) => brokenJson(person, 'POST', SNAPSHOTS),
    },
    {
      status: 401,
      by: 'no token',
      send: ({ world }) => world.send('POST', SNAPSHOTS, { ...TENANT_ONLY, json: NEW }),
    },
    {
      status: 422,
      by: 'no id',
      send: ({ person }) => person.send('POST', SNAPSHOTS, { json: NEW }),
    },
    FAULT,
  ),
  ...lines(
    '002',
    `GET ${SNAPSHOTS}`,
    { status: 200, by: 'no parameter', send: ({ person }) => person.send('GET', SNAPSHOTS) },
    {
      status: 400,
      by: 'an unknown status',
      send: ({ person }) => person.send('GET', `${SNAPSHOTS}?status=error!`),
    },
    { status: 401, by: 'no token', send: ({ world }) => world.send('GET', SNAPSHOTS, TENANT_ONLY) },
    { status: 422, by: 'no input: what is wrong with a parameter is 400 (conventions, 8)' },
    FAULT,
  ),
  ...lines(
    '002',
    `PUT ${ONE}`,
    { status: 200, by: 'another status', send: ({ person }) => put(person, {}) },
    {
      status: 204,
      by: 'another status and `Prefer: return=minimal`',
      send: ({ person }) => put(person, { prefer: 'return=minimal' }),
    },
    {
      status: 400,
      by: 'a body that is no JSON',
      send: async ({ person }) => brokenJson(person, 'PUT', await made(person)),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) =>
        person.send('PUT', `${SNAPSHOTS}/${UNKNOWN}`, {
          json: { jobExecutionId: UNKNOWN, ...NEW },
        }),
    },
    {
      status: 409,
      by: '`If-Match` with the ETag of an older version',
      send: ({ person }) => put(person, { 'if-match': '"1"' }),
    },
    {
      status: 422,
      by: 'an empty object',
      send: async ({ person }) => person.send('PUT', await made(person), { json: {} }),
    },
    FAULT,
  ),
  ...lines(
    '002',
    `DELETE ${ONE}`,
    {
      status: 204,
      by: 'a snapshot made by hand',
      send: async ({ person }) => person.send('DELETE', await made(person)),
    },
    {
      status: 400,
      by: 'an id that is no UUID',
      send: ({ person }) => person.send('DELETE', `${SNAPSHOTS}/x`),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('DELETE', `${SNAPSHOTS}/${UNKNOWN}`),
    },
    FAULT,
  ),
  ...lines(
    '002',
    `GET ${ONE}`,
    {
      status: 200,
      by: 'a snapshot that is there',
      send: async ({ person }) => person.send('GET', await made(person)),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('GET', `${SNAPSHOTS}/${UNKNOWN}`),
    },
    FAULT,
  ),
];
