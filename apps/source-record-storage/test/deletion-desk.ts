import { ImportCompleted } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import { controlField, dataField, writeRecord } from '@quire/marc/iso2709/write';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { SnapshotDeletion } from '../src/usecases/snapshot-deletion.js';
import { SnapshotRemovalWorker } from '../src/usecases/snapshot-removal-worker.js';
import { idOf, TENANT, type Sending } from './chunk-source.js';
import type { Answer, Ask, RecordWorld } from './record-world.js';

/** Snapshots that come to an end, for the specs of deleting them. */
export const SNAPSHOTS = '/source-storage/snapshots';

const SCHEMA = 'source_record_storage';
/** Tables with rows of a snapshot, and the column that names it. */
const TABLES: Readonly<Record<string, string>> = {
  record: 'snapshot_id',
  unchanged_frame: 'snapshot_id',
  original: 'snapshot_id',
  snapshot: 'id',
  snapshot_status: 'snapshot_id',
  snapshot_task: 'snapshot_id',
  snapshot_removal: 'snapshot_id',
};
/** Tables with rows of records that are not there any more are never right. */
const PARTS = ['record_content', 'record_raw', 'record_error', 'marc_index'];

export class DeletionDesk implements AsyncDisposable {
  private constructor(
    readonly world: RecordWorld,
    /** As the superuser, who sees what is hidden. */
    readonly admin: DataSource,
  ) {}

  static async open(world: RecordWorld, databaseUrl: string): Promise<DeletionDesk> {
    const admin = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize();
    return new DeletionDesk(world, admin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.destroy();
  }

  remove(job: string, parameters = '', ask: Ask = {}): Promise<Answer> {
    return this.world.ask('DELETE', `${SNAPSHOTS}/${idOf(job)}${parameters}`, ask);
  }

  read(job: string, ask: Ask = {}): Promise<Answer> {
    return this.world.get(`${SNAPSHOTS}/${idOf(job)}`, ask);
  }

  /** The source records of a matched id, deleted ones too. */
  async current(matchedId: string): Promise<Record<string, unknown>[]> {
    const target = `/source-storage/source-records?recordId=${matchedId}&deleted=true`;
    const { text } = await this.world.get(target);
    return (JSON.parse(text) as { sourceRecords: Record<string, unknown>[] }).sourceRecords;
  }

  async states(matchedId: string): Promise<(readonly [number, string])[]> {
    const rows = await this.world.rows<{ generation: number; state: string }>(
      'select generation, state from record where tenant_id = $1 and matched_id = $2 order by generation',
      [matchedId],
    );
    return rows.map(({ generation, state }) => [generation, state]);
  }

  /** A whole import. */
  async import(
    job: string,
    frames: readonly Buffer[],
    sending: Omit<Sending, 'job'> = {},
  ): Promise<void> {
    for (let at = 0, chunkNo = 0; at < frames.length; at += 1000, chunkNo += 1) {
      const part = frames.slice(at, at + 1000);
      await this.world.send(part, { ...sending, job, chunkNo, firstOrder: at });
    }
    await this.complete(job, sending.tenantId);
  }

  async complete(job: string, tenantId = TENANT): Promise<void> {
    await this.world.publish(ImportCompleted, {
      tenantId,
      jobExecutionId: idOf(job),
      jobVersion: 9,
      status: 'COMMITTED',
      result: 'SUCCESS',
      counts: { created: 0, updated: 0, unchanged: 0, failed: 0, warned: 0 },
      completedDate: '2026-11-25T06:00:00.000+00:00',
    });
  }

  /** Numbers of rows that are left of a snapshot, hidden or not, by table; and of parts without a record. */
  async left(job: string): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const [table, column] of Object.entries(TABLES))
      counts[table] = await this.count(`${table} where ${column} = $1`, [idOf(job)]);
    for (const table of PARTS)
      counts[table] = await this.count(
        `${table} p where not exists (select from ${SCHEMA}.record r where r.tenant_id = p.tenant_id and r.id = p.record_id)`,
      );
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  }

  async count(what: string, params: readonly unknown[] = []): Promise<number> {
    const [row] = await this.admin.query<{ n: number }[]>(
      `select count(*)::int as n from ${SCHEMA}.${what}`,
      [...params],
    );
    return row?.n ?? 0;
  }

  get deletion(): SnapshotDeletion {
    return this.app.get(SnapshotDeletion);
  }

  /** Of this process; once stopped it wakes no more. */
  get worker(): SnapshotRemovalWorker {
    return this.app.get(SnapshotRemovalWorker);
  }

  /** One of another process. */
  otherWorker(): SnapshotRemovalWorker {
    return new SnapshotRemovalWorker(this.app.get(Tenants), this.deletion, this.app.get(LOG));
  }

  private get app() {
    const service = this.world.isolated.services.get('source-record-storage');
    if (!service) throw new Error('source-record-storage is not started');
    return service.app;
  }
}

/** A bibliographic record that says which record of ours it is a new version of. */
export function versionOf(matchedId: string, title: string, status = 'c'): Buffer {
  const record = writeRecord(`00000${status}am a2200000 i 4500`, [
    controlField('001', 'ver'),
    dataField('245', '10', [['a', title]]),
    dataField('999', 'ff', [['s', matchedId]]),
  ]);
  if (record.failed) throw new Error(`Record cannot be written: ${record.code}`);
  return record.bytes;
}

/** Matched id of the record of a frame, which is its own id too. */
export const fileId = (job: string, order: number): string => uuidV5(idOf(job), `file:${order}`);
export const fileInstance = (job: string, order: number): string =>
  uuidV5(fileId(job, order), 'instance');
