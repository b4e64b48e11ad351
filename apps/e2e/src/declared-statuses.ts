import type { Answer, Person, World } from './world.js';

/**
 * Every status that seeds 000, 001 and 004 declare, and what provokes it. The story runs each line; `docs/contract.md` is
 * these lines as a table.
 */
export interface DeclaredStatus {
  readonly seed: '000' | '001' | '004';
  readonly call: string;
  readonly status: number;
  /** What provokes it; or, without {@link send}, why nothing does. */
  readonly by: string;
  readonly send?: (stage: Stage) => Promise<Answer>;
}

/** What the requests of the lines are made from. */
export interface Stage {
  readonly world: World;
  readonly person: Person;
  /** Ended export with one file, its file and the definition it came from. */
  readonly job: { readonly id: string; readonly fileId: string; readonly fileDefinitionId: string };
  /** Upload definition with one file. */
  readonly definition: { readonly id: string; readonly fileId: string };
  /** Makes an export job that can be deleted. */
  readonly spareJob: () => Promise<string>;
  /** Makes a file definition for exports, without bytes. */
  readonly spareFileDefinition: () => Promise<string>;
}

const UNKNOWN = '11111111-1111-4111-8111-111111111111';
const PROFILE = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';
const OCTETS = { 'content-type': 'application/octet-stream' };

type Line = Omit<DeclaredStatus, 'seed' | 'call'>;
const lines = (
  seed: DeclaredStatus['seed'],
  call: string,
  ...all: readonly Line[]
): readonly DeclaredStatus[] => all.map((line) => ({ seed, call, ...line }));

const FAULT: Line = {
  status: 500,
  by: 'no input: only a fault of ours; the text is that of the seed (reliability, P3)',
};
const NOTHING_TO_CHECK = 'no input: any body is accepted and ignored (data-export, 2.5)';
const brokenJson = (person: Person, method: string, path: string): Promise<Answer> =>
  person.send(method, path, { body: '{', headers: { 'content-type': 'application/json' } });

const EXPORT = '/data-export/export';
const QUICK = '/data-export/quick-export';
const JOBS = '/data-export/job-executions';
const FILES = '/data-export/file-definitions';

const dataExport: readonly DeclaredStatus[] = [
  ...lines(
    '000',
    `POST ${EXPORT}`,
    {
      status: 204,
      by: 'a file definition with ids and a job profile',
      send: async ({ person, spareFileDefinition }) => {
        const id = await spareFileDefinition();
        await person.send('POST', `${FILES}/${id}/upload`, { body: UNKNOWN, headers: OCTETS });
        return person.send('POST', EXPORT, {
          json: { fileDefinitionId: id, jobProfileId: PROFILE },
        });
      },
    },
    {
      status: 400,
      by: 'an unknown file definition',
      send: ({ person }) =>
        person.send('POST', EXPORT, { json: { fileDefinitionId: UNKNOWN, jobProfileId: PROFILE } }),
    },
    {
      status: 422,
      by: 'an id that is none',
      send: ({ person }) =>
        person.send('POST', EXPORT, { json: { fileDefinitionId: 'x', jobProfileId: PROFILE } }),
    },
    FAULT,
  ),
  ...lines(
    '000',
    `POST ${QUICK}`,
    {
      status: 200,
      by: 'a list of ids',
      send: ({ person }) =>
        person.send('POST', QUICK, {
          json: { type: 'uuid', recordType: 'INSTANCE', uuids: [UNKNOWN] },
        }),
    },
    {
      status: 400,
      by: 'an unknown job profile',
      send: ({ person }) =>
        person.send('POST', QUICK, {
          json: { type: 'uuid', recordType: 'INSTANCE', uuids: [UNKNOWN], jobProfileId: UNKNOWN },
        }),
    },
    {
      status: 422,
      by: 'no type',
      send: ({ person }) => person.send('POST', QUICK, { json: { recordType: 'INSTANCE' } }),
    },
    FAULT,
  ),
  ...lines(
    '000',
    `GET ${JOBS}`,
    { status: 200, by: 'no query', send: ({ person }) => person.send('GET', JOBS) },
    {
      status: 400,
      by: 'a query with a fault',
      send: ({ person }) => person.send('GET', `${JOBS}?query=status==`),
    },
    { status: 401, by: 'no token', send: ({ world }) => world.send('GET', JOBS, TENANT_ONLY) },
    { status: 404, by: 'no input: a collection is always there, and empty is 200' },
    {
      status: 422,
      by: 'no input: what is wrong with a parameter or a query is 400 (conventions, 8)',
    },
    FAULT,
  ),
  ...lines(
    '000',
    `DELETE ${JOBS}/{id}`,
    {
      status: 204,
      by: 'a job that has ended',
      send: async ({ person, spareJob }) => person.send('DELETE', `${JOBS}/${await spareJob()}`),
    },
    {
      status: 400,
      by: 'an id that is no UUID',
      send: ({ person }) => person.send('DELETE', `${JOBS}/x`),
    },
    {
      status: 404,
      by: 'an unknown id',
      send: ({ person }) => person.send('DELETE', `${JOBS}/${UNKNOWN}`),
    },
    FAULT,
  ),
  ...lines(
    '000',
    `GET ${JOBS}/{jobExecutionId}/download/{exportFileId}`,
    {
      status: 200,
      by: 'the file of a job that has ended',
      send: ({ person, job }) => person.send('GET', `${JOBS}/${job.id}/download/${job.fileId}`),
    },
    {
      status: 400,
      by: 'a tenant that is not known',
      send: ({ world, person, job }) =>
        world.send('GET', `${JOBS}/${job.id}/download/${job.fileId}`, {
          headers: { ...person.headers, 'x-okapi-tenant': 'nowhere' },
        }),
    },
    FAULT,
  ),
  ...['expire-jobs', 'clean-up-files'].flatMap((path) =>
    lines(
      '000',
      `POST /data-export/${path}`,
      {
        status: 204,
        by: 'any body, or none',
        send: ({ person }) => person.send('POST', `/data-export/${path}`),
      },
      {
        status: 400,
        by: 'a tenant that is not known',
        send: ({ world, person }) =>
          world.send('POST', `/data-export/${path}`, {
            headers: { ...person.headers, 'x-okapi-tenant': 'nowhere' },
          }),
      },
      { status: 422, by: NOTHING_TO_CHECK },
      FAULT,
    ),
  ),
];

const DEFINITIONS = '/data-import/upload/definition';
const UPLOAD = '/data-import/upload/file';
const TENANT_ONLY = { headers: { 'x-okapi-tenant': 'library' } } as const;
const target = (definition: string, file: string): string =>
  `${UPLOAD}?uploadDefinitionId=${definition}&fileId=${file}`;

const dataImport: readonly DeclaredStatus[] = [
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

/** Seed 004 declares what its examples show. */
const script: readonly DeclaredStatus[] = [
  ...lines('004', 'GET /data-export/job-profiles', {
    status: 200,
    by: 'step 1',
    send: ({ person }) => person.send('GET', '/data-export/job-profiles'),
  }),
  ...lines('004', `POST ${FILES}`, {
    status: 201,
    by: 'step 2',
    send: ({ person }) => person.send('POST', FILES, { json: { fileName: 'test.csv' } }),
  }),
  ...lines('004', `POST ${FILES}/{fileDefinitionId}/upload`, {
    status: 200,
    by: 'step 3',
    send: async ({ person, spareFileDefinition }) =>
      person.send('POST', `${FILES}/${await spareFileDefinition()}/upload`, {
        body: UNKNOWN,
        headers: OCTETS,
      }),
  }),
  ...lines('004', `POST ${EXPORT}`, {
    status: 204,
    by: 'step 4; sent again for a job that completed, it answers the same',
    send: ({ person, job }) =>
      person.send('POST', EXPORT, {
        json: { fileDefinitionId: job.fileDefinitionId, jobProfileId: PROFILE },
      }),
  }),
  ...lines('004', `GET ${JOBS}?query=id=="{jobExecutionId}"`, {
    status: 200,
    by: 'step 5',
    send: ({ person, job }) => person.send('GET', `${JOBS}?query=id=="${job.id}"`),
  }),
  ...lines('004', `GET ${JOBS}/{jobExecutionId}/download/{fileId}`, {
    status: 200,
    by: 'step 6',
    send: ({ person, job }) => person.send('GET', `${JOBS}/${job.id}/download/${job.fileId}`),
  }),
];

export const DECLARED_STATUSES: readonly DeclaredStatus[] = [
  ...dataExport,
  ...dataImport,
  ...script,
];

/** `docs/contract.md`. */
export function contractPage(): string {
  const rows = DECLARED_STATUSES.map(({ seed, call, status, by, send }) =>
    send
      ? `| ${seed} | \`${call}\` | ${status} | ${by} | ${call} answers ${status} |`
      : `| ${seed} | \`${call}\` | ${status} | ${by} | – |`,
  );
  return [
    '# The contract, status by status',
    '',
    'Every call that seeds 000 (data export v2.0), 001 (data import v1.1) and 004 (the six-step script) declare, with every',
    'status they declare for it, what provokes it, and the test that does. All tests are in',
    '`apps/e2e/contract.e2e.spec.ts`; a status that no input can provoke says so. What we answer beyond the seeds stands in',
    '`apps/e2e/src/added-statuses.ts`, each with its reason. This page is made from `apps/e2e/src/declared-statuses.ts`: a test',
    'fails when it is not what that file says.',
    '',
    '| Seed | Call | Status | Provoked by | Test |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
