import {
  brokenJson,
  FAULT,
  lines,
  OCTETS,
  TENANT_ONLY,
  UNKNOWN,
  type DeclaredStatus,
} from './line.js';

/** Seed 001. */
const DEFINITIONS = '/data-import/upload/definition';
const UPLOAD = '/data-import/upload/file';
const target = (definition: string, file: string): string =>
  `${UPLOAD}?uploadDefinitionId=${definition}&fileId=${file}`;

export const dataImport: readonly DeclaredStatus[] = [
  ...lines(
    '001',
    `POST ${DEFINITIONS}`,
    {
      status: 201,
      by: 'a definition with a file',
      send: ({ person }) =>
        person.send('POST', DEFINITIONS, { json: { fileDefinitions: [{ name: 'a.mrc' }] } }),
    },
    {
      status: 400,
      by: 'a body that is no JSON',
      send: ({ person }) => brokenJson(person, 'POST', DEFINITIONS),
    },
    {
      status: 401,
      by: 'no token',
      send: ({ world }) => world.send('POST', DEFINITIONS, { ...TENANT_ONLY, json: {} }),
    },
    {
      status: 422,
      by: 'a file without a name',
      send: ({ person }) => person.send('POST', DEFINITIONS, { json: { fileDefinitions: [{}] } }),
    },
    FAULT,
  ),
  ...lines(
    '001',
    `GET ${DEFINITIONS}`,
    { status: 200, by: 'no query', send: ({ person }) => person.send('GET', DEFINITIONS) },
    {
      status: 400,
      by: 'a query with a fault',
      send: ({ person }) => person.send('GET', `${DEFINITIONS}?query=status==`),
    },
    {
      status: 401,
      by: 'no token',
      send: ({ world }) => world.send('GET', DEFINITIONS, TENANT_ONLY),
    },
    {
      status: 422,
      by: 'no input: what is wrong with a parameter or a query is 400 (data-import, 3.1)',
    },
    FAULT,
  ),
  ...lines(
    '001',
    `PUT ${DEFINITIONS}/{definitionId}`,
    {
      status: 200,
      by: 'a definition that is there',
      send: ({ person, definition }) =>
        person.send('PUT', `${DEFINITIONS}/${definition.id}`, { json: { status: 'NEW' } }),
    },
    {
      status: 400,
      by: 'a body that is no JSON',
      send: ({ person, definition }) =>
        brokenJson(person, 'PUT', `${DEFINITIONS}/${definition.id}`),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('PUT', `${DEFINITIONS}/${UNKNOWN}`, { json: {} }),
    },
    {
      status: 422,
      by: 'a status that is none',
      send: ({ person, definition }) =>
        person.send('PUT', `${DEFINITIONS}/${definition.id}`, { json: { status: 'DONE' } }),
    },
    FAULT,
  ),
  ...lines(
    '001',
    `GET ${DEFINITIONS}/{definitionId}`,
    {
      status: 200,
      by: 'a definition that is there',
      send: ({ person, definition }) => person.send('GET', `${DEFINITIONS}/${definition.id}`),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('GET', `${DEFINITIONS}/${UNKNOWN}`),
    },
    FAULT,
  ),
  ...lines(
    '001',
    `POST ${DEFINITIONS}/file`,
    {
      status: 201,
      by: 'one file more for a definition',
      send: ({ person, definition }) =>
        person.send('POST', `${DEFINITIONS}/file`, {
          json: { name: 'b.mrc', uploadDefinitionId: definition.id },
        }),
    },
    {
      status: 400,
      by: 'a body that is no JSON',
      send: ({ person }) => brokenJson(person, 'POST', `${DEFINITIONS}/file`),
    },
    {
      status: 422,
      by: 'no name',
      send: ({ person, definition }) =>
        person.send('POST', `${DEFINITIONS}/file`, { json: { uploadDefinitionId: definition.id } }),
    },
    FAULT,
  ),
  ...lines(
    '001',
    `DELETE ${DEFINITIONS}/file/{fileId}`,
    {
      status: 204,
      by: 'a file of a definition',
      send: async ({ person }) => {
        const made = await person.post<{ id: string; fileDefinitions: { id: string }[] }>(
          DEFINITIONS,
          { fileDefinitions: [{ name: 'a.mrc' }] },
        );
        const file = made.fileDefinitions[0]?.id ?? '';
        return person.send('DELETE', `${DEFINITIONS}/file/${file}?uploadDefinitionId=${made.id}`);
      },
    },
    {
      status: 404,
      by: 'a file that the definition does not have',
      send: ({ person, definition }) =>
        person.send('DELETE', `${DEFINITIONS}/file/${UNKNOWN}?uploadDefinitionId=${definition.id}`),
    },
    FAULT,
  ),
  ...lines(
    '001',
    `POST ${UPLOAD}`,
    {
      status: 200,
      by: 'bytes for a file of a definition',
      send: ({ person, definition }) =>
        person.send('POST', target(definition.id, definition.fileId), {
          body: 'x',
          headers: OCTETS,
        }),
    },
    {
      status: 400,
      by: 'no fileId',
      send: ({ person, definition }) =>
        person.send('POST', `${UPLOAD}?uploadDefinitionId=${definition.id}`, {
          body: 'x',
          headers: OCTETS,
        }),
    },
    {
      status: 404,
      by: 'an unknown definition',
      send: ({ person, definition }) =>
        person.send('POST', target(UNKNOWN, definition.fileId), { body: 'x', headers: OCTETS }),
    },
    FAULT,
  ),
];
