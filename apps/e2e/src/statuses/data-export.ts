import {
  FAULT,
  lines,
  OCTETS,
  PROFILE,
  TENANT_ONLY,
  UNKNOWN,
  type DeclaredStatus,
} from './line.js';

/** Seed 000. */
const NOTHING_TO_CHECK = 'no input: any body is accepted and ignored (data-export, 2.5)';
const EXPORT = '/data-export/export';
const QUICK = '/data-export/quick-export';
const JOBS = '/data-export/job-executions';
const FILES = '/data-export/file-definitions';

export const dataExport: readonly DeclaredStatus[] = [
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
