import { randomUUID } from 'node:crypto';
import { Controller, Inject, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ExportCompleted,
  ExportDeleted,
  SliceReady,
  type ExportCompletedPayload,
  type ExportDeletedPayload,
  type SliceReadyPayload,
} from '@quire/contracts/data-export';
import type { Clock } from '@quire/contracts/clock';
import type { Log } from '@quire/contracts/log';
import type { Scope } from '@quire/contracts/scope';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { houseTables, protect } from '@quire/postgres/house-tables';
import {
  openSource,
  prepareDatabase,
  type MigrationClass,
  type ServiceSchema,
} from '@quire/postgres/migrate';
import { withTenant } from '@quire/postgres/tenant';
import type { DataSource, QueryRunner } from 'typeorm';
import { DeadLetters } from '../src/dead-letters.js';
import type { Delivery, Envelope, EventBus } from '../src/event-bus.js';
import { EventBusStrategy } from '../src/event-bus.strategy.js';
import { Handles, HandlesGivenUp } from '../src/handles.js';
import { Inbox } from '../src/inbox.js';
import type { KnownTenants } from '../src/known-tenants.js';
import { Outbox, OUTBOX_CHANNEL } from '../src/outbox.js';
import { Relay } from '../src/relay.js';

export const ALMA: Scope = { tenantId: 'alma', actorId: 'a0000000-0000-4000-8000-000000000001' };
export const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export const systemClock: Clock = { now: () => new Date() };

/** Slices of one job and one number share a key. */
export function slice(fromOrdinal: number, key = 1): SliceReadyPayload {
  const jobExecutionId = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const toOrdinal = fromOrdinal + 1;
  return { tenantId: 'alma', jobExecutionId, jobVersion: 1, sliceNo: key, fromOrdinal, toOrdinal };
}

export function deleted(): ExportDeletedPayload {
  const { tenantId, jobExecutionId, jobVersion } = slice(0);
  return { tenantId, jobExecutionId, jobVersion, hrId: 7, userId: ALMA.actorId };
}

/** A fact whose payload has exactly so many bytes as JSON text. */
export function completed(bytes: number): ExportCompletedPayload {
  const { tenantId, jobExecutionId, jobVersion } = slice(0);
  const job = { tenantId, jobExecutionId, jobVersion, hrId: 7, status: 'COMPLETED' } as const;
  const counts = { exported: 1, failed: 0, total: 1 };
  const completedDate = '2026-01-01T00:00:00.000+00:00';
  const withName = (fileName: string): ExportCompletedPayload => {
    const files = [{ fileId: jobExecutionId, fileName }];
    return { ...job, ...counts, files, completedDate };
  };
  // Two bytes a letter: the limit counts bytes.
  const missing = bytes - Buffer.byteLength(JSON.stringify(withName('')));
  return withName('ä'.repeat(Math.floor(missing / 2)) + 'a'.repeat(missing % 2));
}

export interface Arrival {
  readonly payload: object;
  readonly delivery: Delivery;
}

/** What the handlers below do; a spec sets it. */
export class Desk {
  readonly arrivals: Arrival[] = [];
  readonly givenUp: Arrival[] = [];
  work: (slice: SliceReadyPayload, delivery: Delivery) => Promise<void> = () => Promise.resolve();
  end: () => Promise<void> = () => Promise.resolve();

  get ordinals(): number[] {
    return this.arrivals.map(({ payload }) => (payload as SliceReadyPayload).fromOrdinal);
  }
}

@Controller()
class Slices {
  constructor(@Inject(Desk) private readonly desk: Desk) {}

  @Handles(SliceReady)
  async ready(payload: SliceReadyPayload, delivery: Delivery): Promise<void> {
    this.desk.arrivals.push({ payload, delivery });
    await this.desk.work(payload, delivery);
  }

  @HandlesGivenUp(SliceReady)
  async givenUp(payload: SliceReadyPayload, delivery: Delivery): Promise<void> {
    this.desk.givenUp.push({ payload, delivery });
    await this.desk.end();
  }

  @Handles(ExportCompleted)
  completed(payload: ExportCompletedPayload, delivery: Delivery): Promise<void> {
    this.desk.arrivals.push({ payload, delivery });
    return Promise.resolve();
  }
}

/** A service of two handlers with its outbox, inbox and relay, on a database of its own. */
export class Workshop implements AsyncDisposable {
  readonly outbox = new Outbox(
    { now: () => new Date('2026-01-01T00:00:00.000Z') },
    { next: randomUUID },
  );
  readonly inbox = new Inbox();
  readonly deadLetters: DeadLetters;
  desk = new Desk();

  private constructor(
    readonly source: DataSource,
    private readonly opened: AsyncDisposableStack,
  ) {
    this.deadLetters = new DeadLetters(source);
  }

  /**
   * @param database empty; the workshop closes it
   * @param schema roles are the whole server's: every spec file has its own
   */
  static async open(
    database: AsyncDisposable & { readonly url: string },
    schema: string,
  ): Promise<Workshop> {
    const opened = new AsyncDisposableStack();
    const { url } = opened.use(database);
    await prepareDatabase(url, [workshopSchema(schema)], (role) => role);
    const source = await openSource(url, schema, (role) => role, {
      poolSize: 20,
      waitMs: 20_000,
    });
    opened.defer(() => source.destroy());
    return new Workshop(source, opened);
  }

  /** Its handlers listen on the bus. */
  async listen(
    bus: EventBus,
    { log = SILENT, tenants }: { log?: Log; tenants?: KnownTenants } = {},
  ): Promise<INestMicroservice> {
    const { desk } = this;
    class Room {}
    Module({ controllers: [Slices], providers: [{ provide: Desk, useValue: desk }] })(Room);
    const strategy = new EventBusStrategy('data-export', bus, this.deadLetters, log, tenants);
    const app = await NestFactory.createMicroservice(Room, { strategy, logger: false });
    await app.listen();
    return app;
  }

  relay(bus: EventBus, pollMs = 20): Relay {
    return new Relay(this.source, bus, SILENT, pollMs);
  }

  /** One transaction. */
  sendSlices(...slices: readonly SliceReadyPayload[]): Promise<void> {
    return withTenant(this.source, ALMA, (tx) => this.outbox.addAll(tx, SliceReady, slices));
  }

  sendDeleted(): Promise<void> {
    return withTenant(this.source, ALMA, (tx) => this.outbox.add(tx, ExportDeleted, deleted()));
  }

  /** Writes a row past the outbox, as a faulty or a newer sender might. */
  sendRaw(changes: Partial<Envelope>): Promise<void> {
    const envelope = { ...envelopeOf(slice(1)), ...changes };
    const headers = { ce_tenantid: 'alma', ...envelope.headers, ce_type: envelope.type };
    return withTenant(this.source, ALMA, async (tx) => {
      await tx.execute(
        `insert into outbox (tenant_id, event_id, topic, key, headers, payload) values ($1, $2, $3, $4, $5, $6)`,
        [tx.tenantId, envelope.id, envelope.topic, envelope.key, headers, envelope.payload],
      );
      await tx.query(`select pg_notify('${OUTBOX_CHANNEL}', current_schema())`);
    });
  }

  /** The effect of a slice: a row, once however often its event arrives. */
  readonly recordOnce = (payload: SliceReadyPayload, delivery: Delivery): Promise<void> =>
    withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'slices', delivery.id))) return;
      await tx.execute('insert into effect (tenant_id, ordinal) values ($1, $2)', [
        tx.tenantId,
        payload.fromOrdinal,
      ]);
    });

  /** Ordinals of the effects, in the order they were written. */
  effects(): Promise<number[]> {
    return withTenant(this.source, ALMA, async (tx) => {
      const rows = await tx.query<{ ordinal: number }>('select ordinal from effect order by n');
      return rows.map((row) => row.ordinal);
    });
  }

  /** Events that stand in the outbox. */
  async waiting(): Promise<number> {
    const rows: unknown[] = await this.source.query("select from relay_read(10000, '{}')");
    return rows.length;
  }

  /** Nothing of a former spec is left. */
  async clear(): Promise<void> {
    this.desk = new Desk();
    await this.source.query(
      `select relay_done(array(select seq from relay_read(10000, '{}'))), clear_dead_letters()`,
    );
    await withTenant(this.source, ALMA, (tx) => tx.execute('delete from effect'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opened.disposeAsync();
  }
}

export function workshopSchema(schema: string): ServiceSchema {
  const migrations = [workshopMigration(schema), ...houseMigrations(schema)];
  return { service: 'data-export', schema, migrations };
}

export function envelopeOf(payload: SliceReadyPayload): Envelope {
  const { type, topic } = SliceReady;
  const headers = { ce_type: type, ce_tenantid: 'alma', ce_actorid: ALMA.actorId };
  const [id, key, tenantId] = [randomUUID(), SliceReady.key(payload), payload.tenantId];
  return { id, type, topic, key, tenantId, headers, payload: JSON.stringify(payload) };
}

function workshopMigration(schema: string): MigrationClass {
  return class Workshop1700000000000 {
    async up(runner: QueryRunner): Promise<void> {
      const statements = [
        ...houseTables(schema),
        `create table effect (tenant_id text not null, n bigint generated always as identity, ordinal int not null,
           primary key (tenant_id, n))`,
        ...protect(schema, 'effect'),
        `create function clear_dead_letters() returns void language sql security definer
           set search_path = ${schema}, pg_temp as 'delete from dead_letter'`,
      ];
      for (const statement of statements) await runner.query(statement);
    }

    down(): Promise<void> {
      return Promise.reject(new Error('There is no way back.'));
    }
  };
}

/** Resolves when the condition holds; the time limit of the spec is its limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
