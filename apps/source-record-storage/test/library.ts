import { uuidV5 } from '@quire/contracts/ids';
import { controlField, dataField, writeRecord, type FieldBytes } from '@quire/marc/iso2709/write';
import { idOf, OTHER_TENANT } from './chunk-source.js';
import type { RecordWorld } from './record-world.js';

/** A small library for the specs of reading, and builders of its records. */
const JOB = 'reads';
export const SNAPSHOT = idOf(JOB);
/** Matched id, which is the record's own id too. */
export const recordId = (order: number, job = JOB): string => uuidV5(idOf(job), `file:${order}`);
export const instanceId = (order: number, job = JOB): string =>
  uuidV5(recordId(order, job), 'instance');
export const UNKNOWN = idOf('nobody');
export const TWIN_INSTANCE = idOf('instance of two records');

/** Orders 0 to 5 of job `reads`, two records of one instance, and a record of another tenant. */
export async function fill(world: RecordWorld): Promise<void> {
  await world.send(
    [
      bib('in2', 'The nod'),
      bib('in1', 'Two\u2028lines, three\u2029lines, four\u0085lines'),
      bib('in3', 'Withdrawn', { status: 'd' }),
      bib('in4', 'Obsolete', { status: 'x' }),
      authority('au1', 'Lee, Ann'),
      holdings('ho1', 'in2'),
    ],
    { job: JOB },
  );
  await world.send([bib('tw1', 'Older twin', { more: [ids999ff('older', TWIN_INSTANCE)] })], {
    job: 'older',
    options: { on999ff: 'accept' },
  });
  await world.send([bib('tw2', 'Newer twin', { more: [ids999ff('newer', TWIN_INSTANCE)] })], {
    job: 'newer',
    options: { on999ff: 'accept' },
  });
  await world.send([bib('el1', 'Elsewhere')], { job: 'elsewhere', tenantId: OTHER_TENANT });
}

interface BibChanges {
  readonly status?: string;
  readonly more?: readonly FieldBytes[];
}

export function bib(
  hrid: string,
  title: string,
  { status = 'n', more = [] }: BibChanges = {},
): Buffer {
  const fields = [controlField('001', hrid), dataField('245', '10', [['a', title]]), ...more];
  return written(`00000${status}am a2200000 i 4500`, fields);
}

/** A field 999 ff. @param name of the record */
export const ids999ff = (name: string, instance: string): FieldBytes =>
  dataField('999', 'ff', [
    ['s', idOf(name)],
    ['i', instance],
  ]);

const authority = (hrid: string, name: string): Buffer =>
  written('00000nz  a2200000n  4500', [
    controlField('001', hrid),
    dataField('100', '1 ', [['a', name]]),
  ]);

const holdings = (hrid: string, parent: string): Buffer =>
  written('00000nx  a2200000un 4500', [
    controlField('001', hrid),
    controlField('004', parent),
    dataField('852', '  ', [['b', 'main']]),
  ]);

function written(leader: string, fields: readonly FieldBytes[]): Buffer {
  const record = writeRecord(leader, fields);
  if (record.failed) throw new Error(`Record cannot be written: ${record.code}`);
  return record.bytes;
}
