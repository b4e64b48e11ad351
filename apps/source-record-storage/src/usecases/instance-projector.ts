import { setTimeout as delay } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { unavailable } from '@quire/contracts/failure';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { readTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { PendingInstances, type Backlog } from '../db/pending-instances.js';
import { Statistics } from '../db/statistics.js';
import { IndexUpkeep } from './index-upkeep.js';
import { InstanceProjection } from './instance-projection.js';

/** How far the view may stay behind; no settings, but specs make them small. */
@Injectable()
export class ProjectionLimits {
  /** Records that may wait for their rows while imports go on: what a query has to wait for. */
  backlogRecords = 100_000;
  /** So long after the last chunk an import counts as over. */
  idleMs = 200;
  /** So long a query waits. */
  waitMs = 20_000;
}

/** Rows that another process has noted are found by the timer. */
const EVERY_MS = 1_000;
const HELD_BACK_MS = 50;
const POLL_MS = 10;
const POLL_MAX_MS = 100;
const RETRY_SECONDS = 5;
/** Transactions at once: while the server writes for one, the records of another are read here. */
const LANES = 2;
/** Chunks of a tenant, then the backlog is looked at again. */
const ROUND_CHUNKS = 4;
/** From so many rows on, catching up ends with merged indexes and new statistics for the planner. */
const STATISTICS_ROWS_MIN = 1_000;

/**
 * Lets the instance view follow the imports (docs/adr/0006-instance-view.md). While chunks are worked in this process it holds
 * back, so that they get the processors, until too many records wait; a query that waits makes it work at once, and first
 * for the tenant of the query.
 */
@Injectable()
export class InstanceProjector implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;
  /** By tenant: queries that wait. */
  private readonly waiting = new Map<string, number>();
  private backlog = 0;
  private chunks = 0;
  private lastChunkAt = Number.NEGATIVE_INFINITY;
  private rowsSinceStatistics = 0;
  private stopping = false;

  constructor(
    private readonly source: DataSource,
    private readonly pending: PendingInstances,
    private readonly projection: InstanceProjection,
    private readonly upkeep: IndexUpkeep,
    private readonly statistics: Statistics,
    private readonly limits: ProjectionLimits,
    @Inject(LOG) private readonly log: Log,
  ) {
    const work = (): Promise<void> => this.turn();
    const name = 'source-record-storage.instances';
    this.background = new Background({ name, everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.stopping = false;
    this.background.start();
  }

  /** The chunks in hand are finished; the others wait for the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.background.stop();
  }

  /** Works a chunk of an import. Where too many records wait, it has to take as many away as it is going to bring. */
  async whileImporting<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    this.chunks += 1;
    try {
      if (this.backlog > this.limits.backlogRecords) await this.makeRoom(scope);
      return await work();
    } finally {
      this.chunks -= 1;
      this.lastChunkAt = performance.now();
      this.background.wake();
    }
  }

  /** Told of records that a chunk has saved, with their keys. */
  saved(records: number): void {
    this.upkeep.written(records);
  }

  /**
   * Returns when everything that was committed before the call is in the view of the tenant; of what comes later nothing is
   * waited for.
   *
   * @throws Failure 503 when that takes too long
   */
  async current(scope: Scope): Promise<void> {
    const places = await readTenant(this.source, scope, (tx) => this.pending.places(tx));
    if (places.length === 0) return;
    const { tenantId } = scope;
    this.waiting.set(tenantId, (this.waiting.get(tenantId) ?? 0) + 1);
    try {
      await this.waitFor(scope, places);
    } finally {
      const left = (this.waiting.get(tenantId) ?? 1) - 1;
      if (left > 0) this.waiting.set(tenantId, left);
      else this.waiting.delete(tenantId);
    }
  }

  /** Whether a query of the tenant waits. */
  isWaitedFor(tenantId: string): boolean {
    return this.waiting.has(tenantId);
  }

  private async waitFor(scope: Scope, places: readonly string[]): Promise<void> {
    const until = performance.now() + this.limits.waitMs;
    const isLeft = (): Promise<boolean> =>
      readTenant(this.source, scope, (tx) => this.pending.isLeft(tx, places));
    this.background.wake();
    for (let pauseMs = POLL_MS; await isLeft(); pauseMs = Math.min(2 * pauseMs, POLL_MAX_MS)) {
      if (this.stopping || performance.now() >= until) throw unavailable(RETRY_SECONDS);
      await delay(pauseMs);
    }
  }

  private async makeRoom(scope: Scope): Promise<void> {
    try {
      await this.project(scope.tenantId);
    } catch (error) {
      // The chunk is none the worse for it, and the loop comes back to it.
      this.log.warn({ err: error }, 'rows of the instance view could not be made beside a chunk');
    }
  }

  private async turn(): Promise<void> {
    const failed = new Map<string, unknown>();
    let backlog = await this.look();
    for (let goesOn = true; goesOn && !this.stopping;) {
      goesOn = await this.round(
        this.due(backlog.filter((one) => !failed.has(one.tenantId))),
        failed,
      );
      backlog = await this.look();
    }
    if (backlog.length > 0) this.background.pauseOnly(failed.size > 0 ? EVERY_MS : HELD_BACK_MS);
    else await this.caughtUp();
    for (const error of failed.values()) throw error;
  }

  private async look(): Promise<readonly Backlog[]> {
    const backlog = await this.pending.backlog(this.source);
    this.backlog = backlog.reduce((sum, { records }) => sum + records, 0);
    return backlog;
  }

  /** Tenants whose turn it is: those that are waited for, else all, unless imports have the precedence. */
  private due(backlog: readonly Backlog[]): string[] {
    const tenants = backlog.map(({ tenantId }) => tenantId);
    const waitedFor = tenants.filter((tenant) => this.isWaitedFor(tenant));
    if (waitedFor.length > 0) return waitedFor;
    return this.isHeldBack() ? [] : tenants;
  }

  private isHeldBack(): boolean {
    const { chunks, lastChunkAt, limits } = this;
    const isImporting = chunks > 0 || performance.now() - lastChunkAt < limits.idleMs;
    return isImporting && this.backlog <= limits.backlogRecords;
  }

  /** Some chunks of each tenant, by turns. @returns whether there was one that nobody else works at */
  private async round(tenants: readonly string[], failed: Map<string, unknown>): Promise<boolean> {
    const turns = Array.from({ length: ROUND_CHUNKS }, () => tenants)
      .flat()
      .values();
    let worked = false;
    const lane = async (): Promise<void> => {
      for (const tenant of turns) {
        if (this.stopping || failed.has(tenant) || this.isOvertaken(tenant)) continue;
        try {
          if (await this.project(tenant)) worked = true;
        } catch (error) {
          failed.set(tenant, error);
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return worked;
  }

  /** Since the round began, a query of another tenant or an import has come. */
  private isOvertaken(tenant: string): boolean {
    if (this.isWaitedFor(tenant)) return false;
    return this.waiting.size > 0 || this.isHeldBack();
  }

  private async project(tenantId: string): Promise<boolean> {
    const records = await this.projection.project({ tenantId, actorId: SYSTEM_USER_ID });
    if (records === undefined) return false;
    this.backlog -= records;
    this.rowsSinceStatistics += records;
    this.upkeep.written(records);
    return true;
  }

  private async caughtUp(): Promise<void> {
    if (this.rowsSinceStatistics < STATISTICS_ROWS_MIN) return;
    this.rowsSinceStatistics = 0;
    await this.upkeep.merge();
    await this.statistics.refreshInstances(this.source);
  }
}
