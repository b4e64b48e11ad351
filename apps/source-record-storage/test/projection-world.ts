import { DataSource } from 'typeorm';
import { InstanceProjection } from '../src/usecases/instance-projection.js';
import { InstanceProjector, ProjectionLimits } from '../src/usecases/instance-projector.js';
import { idOf, TENANT, USER_ID, type Sending } from './chunk-source.js';
import type { Answer, RecordWorld } from './record-world.js';
import { ViewWorld } from './view-world.js';

const SCHEMA = 'source_record_storage';

/** Set-up of specs of the instance view that follows the imports: what has been committed waits until it is asked for. */
export class ProjectionWorld implements AsyncDisposable {
  readonly view: ViewWorld;
  readonly limits: ProjectionLimits;
  readonly projector: InstanceProjector;
  private release: (() => void) | undefined;
  private holding: Promise<void> | undefined;

  private constructor(
    readonly world: RecordWorld,
    /** As the superuser, to make trouble. */
    readonly admin: DataSource,
  ) {
    this.view = new ViewWorld(world);
    this.limits = this.view.get(ProjectionLimits);
    this.projector = this.view.get(InstanceProjector);
    world.viewFollows = false;
  }

  static async open(world: RecordWorld, databaseUrl: string): Promise<ProjectionWorld> {
    const admin = new DataSource({ type: 'postgres', url: databaseUrl, extra: { max: 20 } });
    return new ProjectionWorld(world, await admin.initialize());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.goOn();
    await this.admin.destroy();
  }

  /** As if a chunk were worked from now on: the projector holds back. */
  hold(): void {
    if (this.release) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.release = resolve;
    this.holding = this.projector.whileImporting(this.scope, () => promise);
  }

  async goOn(): Promise<void> {
    this.release?.();
    await this.holding;
    this.release = undefined;
  }

  /** Commits a chunk whose rows are not made. */
  async import(job: string, frames: readonly Buffer[], sending: Sending = {}): Promise<void> {
    this.hold();
    await this.world.send(frames, { job, options: { on999ff: 'accept' }, ...sending });
  }

  /** The oldest chunk, in this process. */
  project(): Promise<number | undefined> {
    return this.view.get(InstanceProjection).project(this.scope);
  }

  /** Chunks whose rows are not made. */
  async pending(): Promise<number> {
    return (await this.world.rows('select from instance_pending where tenant_id = $1')).length;
  }

  /** Until all rows are made, without asking for them. */
  async nothingPending(): Promise<void> {
    while ((await this.pending()) > 0);
  }

  /** As the table has them. */
  rows(): Promise<object[]> {
    return this.world.rows(
      'select *, words::text, keys::text from instance where tenant_id = $1 order by id',
    );
  }

  async titles(job: string): Promise<string[]> {
    const rows = await this.world.rows<{ title: string }>(
      'select title from instance where tenant_id = $1 and snapshot_id = $2 order by title',
      [idOf(job)],
    );
    return rows.map(({ title }) => title);
  }

  /** The number of hits, by the door of the ids. */
  async hits(query: string): Promise<number> {
    const answer = await this.ask(query);
    if (answer.status !== 200) throw new Error(answer.text);
    return (answer.json as { ids: unknown[] }).ids.length;
  }

  ask(query: string): Promise<Answer> {
    return this.world.get(`/instance-bulk/ids?query=${encodeURIComponent(query)}`);
  }

  /** Makes the rows that are due; they must be those that the view makes of all records anew. */
  async expectRight(): Promise<void> {
    await this.world.projected();
    expect(await this.pending()).toBe(0);
    const followed = await this.rows();
    await this.view.rebuild();
    expect(followed).toEqual(await this.rows());
  }

  /** Locks what the statement finds, until it is disposed of. @param sql `select … for update` */
  async lock(sql: string, params: readonly unknown[] = []): Promise<AsyncDisposable> {
    // eslint-disable-next-line no-restricted-syntax -- the superuser of the test server has no tenant
    const runner = this.admin.createQueryRunner();
    await runner.query(`begin; set local search_path = ${SCHEMA}`);
    await runner.query(sql, [...params]);
    return {
      async [Symbol.asyncDispose](): Promise<void> {
        await runner.query('rollback');
        await runner.release();
      },
    };
  }

  lockPending(): Promise<AsyncDisposable> {
    return this.lock('select from instance_pending for update');
  }

  /** @param sql names tables of the service */
  async make(sql: string): Promise<void> {
    await this.admin.query(`set search_path = ${SCHEMA}; ${sql}`);
  }

  /** Whether something of the service waits for a lock. */
  async isBlocked(): Promise<boolean> {
    const rows = await this.admin.query<unknown[]>(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and usename like '${SCHEMA}%'`,
    );
    return rows.length > 0;
  }

  private readonly scope = { tenantId: TENANT, actorId: USER_ID };
}
