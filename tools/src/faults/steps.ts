import type { ServiceName } from '@quire/contracts/scope';
import type { Moment } from './gate.js';

/*
 * The steps of an import, an export and a group of finance-storage at which each service is killed, as data. A step says how far
 * the client goes, and what the database must show then. Two kinds: at some the client stops, and all stands still until the
 * kill; through others the services go by themselves, and the kill comes when the database shows them there.
 */
export type Work = 'import' | 'export' | 'group';

export interface Step {
  readonly work: Work;
  readonly name: string;
  /** The client stops here; of a passing step: until then nobody looks. */
  readonly at: Moment;
  /**
   * SQL with one value, `seen`: true while the work is at this step. $1 is the id that the client names at the moment. Absent: what
   * the client has seen says it.
   */
  readonly seen?: string;
  /** The services go on while the client waits. */
  readonly passes?: true;
  /**
   * Kills of these must be felt, or the step was over before: the client has to ask again; a passing step stands still, so
   * that the database shows it also when they are dead.
   */
  readonly felt: readonly ServiceName[];
  /** What is imported or exported; several chunks or slices where nothing is said. */
  readonly of?: 'little' | 'broken records';
  /** Kept locked by somebody else until the kill, so that a transaction waits for it. */
  readonly locked?: string;
}

const IMPORT = 'data_import.job_execution j where j.id = $1';
const CHUNKS = 'data_import.job_chunk c where c.job_id = $1';
const SLICES = 'data_export.slice s where s.job_id = $1';
const SAVED = `exists (select from source_record_storage.inbox i
  where (i.tenant_id, i.consumer, i.event_id) = (c.tenant_id, 'chunks.save', c.id::text))`;

const IMPORT_STEPS: readonly Step[] = [
  { work: 'import', name: 'log-in, half sent', at: 'logging in', of: 'little', felt: ['gateway'] },
  {
    work: 'import',
    name: 'upload definition created',
    at: 'defined',
    of: 'little',
    seen: `select status = 'NEW' as seen from ${IMPORT}`,
    felt: [],
  },
  {
    work: 'import',
    name: 'file half uploaded',
    at: 'half uploaded',
    seen: `select true as seen from data_import.file_upload where file_id = $1`,
    felt: ['gateway', 'data-import'],
  },
  {
    work: 'import',
    name: 'file uploaded',
    at: 'uploaded',
    of: 'little',
    seen: `select status = 'UPLOADED' as seen from data_import.upload_file where job_id = $1`,
    felt: [],
  },
  {
    work: 'import',
    name: 'job started',
    at: 'started',
    seen: `select status = 'PARSING_IN_PROGRESS' as seen from ${IMPORT}`,
    passes: true,
    felt: [],
  },
  {
    work: 'import',
    name: 'first chunk on its way',
    at: 'started',
    seen: `select bool_or(state = 'RELEASED') and bool_and(state <> 'DONE') as seen from ${CHUNKS}`,
    passes: true,
    felt: ['data-import'],
  },
  {
    work: 'import',
    name: 'chunks being saved',
    at: 'started',
    seen: `select bool_or(${SAVED}) and not bool_and(${SAVED}) as seen from ${CHUNKS}`,
    passes: true,
    felt: ['source-record-storage'],
  },
  {
    work: 'import',
    name: 'last chunk saved, not counted',
    at: 'started',
    seen: `select bool_and(${SAVED}) and bool_or(state <> 'DONE') as seen from ${CHUNKS}`,
    passes: true,
    felt: ['data-import'],
  },
  {
    work: 'import',
    name: 'job completed',
    at: 'ended',
    of: 'little',
    seen: `select status = 'COMMITTED' as seen from ${IMPORT}`,
    felt: [],
  },
  {
    work: 'import',
    name: 'failed records half downloaded',
    at: 'half downloaded',
    of: 'broken records',
    felt: ['gateway', 'data-import'],
  },
];

const EXPORT_STEPS: readonly Step[] = [
  {
    work: 'export',
    name: 'file definition created',
    at: 'defined',
    of: 'little',
    seen: `select status = 'NEW' as seen from data_export.file_definition where id = $1`,
    felt: [],
  },
  {
    work: 'export',
    name: 'ids half uploaded',
    at: 'half uploaded',
    seen: `select count(*) > 0 as seen from data_export.file_definition d
      join data_export.export_id e on (e.tenant_id, e.input_id) = (d.tenant_id, d.input_id)
      where d.id = $1 and d.status = 'IN_PROGRESS'`,
    felt: ['gateway', 'data-export'],
  },
  {
    work: 'export',
    name: 'ids uploaded',
    at: 'uploaded',
    of: 'little',
    seen: `select status = 'COMPLETED' as seen from data_export.file_definition where job_id = $1`,
    felt: [],
  },
  {
    work: 'export',
    name: 'export started',
    at: 'started',
    seen: `select status = 'IN_PROGRESS' as seen from data_export.job_execution where id = $1`,
    passes: true,
    felt: [],
  },
  {
    work: 'export',
    name: 'slices running',
    at: 'started',
    seen: `select bool_or(lease_until > now()) and bool_and(state <> 'DONE') as seen from ${SLICES}`,
    passes: true,
    felt: ['data-export'],
  },
  {
    work: 'export',
    name: 'last slice being written',
    at: 'started',
    seen: `select count(*) filter (where state <> 'DONE') = 1 and bool_or(lease_until > now()) as seen from ${SLICES}`,
    passes: true,
    felt: ['data-export'],
  },
  {
    work: 'export',
    name: 'export completed',
    at: 'ended',
    of: 'little',
    seen: `select status = 'COMPLETED' as seen from data_export.job_execution where id = $1`,
    felt: [],
  },
  {
    work: 'export',
    name: 'file half downloaded',
    at: 'half downloaded',
    felt: ['gateway', 'data-export'],
  },
];

const GROUP_STEPS: readonly Step[] = [
  {
    work: 'group',
    name: 'before its commit',
    at: 'posting',
    seen: `select count(*) > 0 as seen from pg_locks
      where relation = 'finance_storage.groups'::regclass and not granted and $1 <> ''`,
    passes: true,
    felt: ['gateway', 'finance-storage'],
    locked: 'finance_storage.groups',
  },
  {
    work: 'group',
    name: 'after its commit',
    at: 'posting',
    seen: `select true as seen from finance_storage.groups where id = $1`,
    passes: true,
    felt: [],
  },
  { work: 'group', name: 'answered', at: 'posted', felt: [] },
];

export const STEPS: readonly Step[] = [...IMPORT_STEPS, ...EXPORT_STEPS, ...GROUP_STEPS];

/** Services that a group never meets. */
export const concerns = (service: ServiceName, { work }: Step): boolean =>
  work !== 'group' || service === 'gateway' || service === 'finance-storage';

/** SQL with one value, `seen`, that changes when the services go on with the job $1. A group is one transaction. */
export const PROGRESS: Readonly<Partial<Record<Work, string>>> = {
  import: `select concat_ws(' ', status, version,
      (select concat_ws(' ', count(*) filter (where state = 'DONE'), count(*) filter (where ${SAVED}), sum(attempt)) from ${CHUNKS}))
    as seen from ${IMPORT}`,
  export: `select concat_ws(' ', status, version,
      (select concat_ws(' ', count(*) filter (where state = 'DONE'), sum(lease_epoch)) from ${SLICES}))
    as seen from data_export.job_execution where id = $1`,
};
