import { lines, OCTETS, PROFILE, UNKNOWN, type DeclaredStatus } from './line.js';

const EXPORT = '/data-export/export';
const JOBS = '/data-export/job-executions';
const FILES = '/data-export/file-definitions';

/** Seed 004 declares what its examples show. */
export const script: readonly DeclaredStatus[] = [
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
