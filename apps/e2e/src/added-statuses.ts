/**
 * Statuses that no seed declares for a call, and why we answer them all the same. Anything else that a seed does not
 * declare fails a story.
 */
export interface AddedStatus {
  /** Absent: every call. */
  readonly call?: string;
  readonly status: number;
  readonly why: string;
}

const EVERYWHERE: readonly AddedStatus[] = [
  {
    status: 401,
    why: 'the gateway asks for a token before the service is reached (conventions, 5)',
  },
  {
    status: 403,
    why: 'the gateway asks for the permission before the service is reached (conventions, 7)',
  },
  {
    status: 400,
    why: 'headers, tenant and malformed requests are refused alike everywhere (conventions, 8)',
  },
  { status: 405, why: 'the path exists, the method does not (conventions, 20, C-D26)' },
  { status: 413, why: 'more bytes than the limit (conventions, 16)' },
  { status: 429, why: 'a limit on requests, uploads or jobs (data-import, 15)' },
  { status: 503, why: 'a store or a neighbour is away for a while; the request may be repeated' },
];

export const ADDED_STATUSES: readonly AddedStatus[] = [
  ...EVERYWHERE,
  {
    call: 'GET /data-export/job-executions/{jobExecutionId}/download/{exportFileId}',
    status: 404,
    why: 'FOLIO answers so for an unknown job or file (data-export, 2.5, D41)',
  },
  {
    call: 'POST /data-import/upload/definition/file',
    status: 404,
    why: 'the definition is unknown (data-import, 3.1)',
  },
  {
    call: 'POST /data-import/upload/file',
    status: 408,
    why: 'the bytes come slower than the limit (data-import, 15)',
  },
  {
    call: 'DELETE /finance-storage/group-fund-fiscal-years/{id}',
    status: 409,
    why: '`If-Match` names another version (conventions, 13)',
  },
];
