import { setTimeout as delay } from 'node:timers/promises';
import type { Notification, PoolClient } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Log } from '@quire/contracts/log';
import { DeadLetters } from './dead-letters.js';
import type { Envelope, EventBus } from './event-bus.js';
import { OUTBOX_CHANNEL } from './outbox.js';

/**
 * Carries the rows of one service's outbox to the bus, and deletes those that the bus has done with.
 *
 * One relay per service is active, the holder of a session advisory lock; the others stand by. It wakes by NOTIFY or every
 * half second, reads rows by `seq` without those of keys that are in hand, and offers them to the bus. There is no
 * high-water mark: a lower `seq` may commit later, and a mark would skip it. A crash between effect and delete offers a row
 * again; consumers remove duplicates.
 */
const READ_ROWS = 500;
const POLL_MS = 500;
const FLUSH_LOOK_MS = 50;
/** Rows in hand before reading stops: the bound of this process's memory for events. */
const IN_HAND_MAX = 2000;

interface OutboxRow {
  readonly seq: string;
  readonly tenant_id: string;
  readonly event_id: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly payload: string;
}

export class Relay {
  /** Keys of the rows that the bus has, by `seq`. */
  private readonly inHand = new Map<string, string>();
  /** `seq` of rows that the bus has done with and that were not deleted yet. */
  private readonly done = new Set<string>();
  private runner: QueryRunner | undefined;
  private schema: string | undefined;
  private stopped = false;
  private loop: Promise<void> | undefined;
  private wakeUp: () => void = () => undefined;
  private wakes = 0;

  constructor(
    private readonly source: DataSource,
    private readonly bus: EventBus,
    private readonly log: Log,
    /** Pause between two looks at the outbox, and between tries to connect or to become active. */
    private readonly pollMs = POLL_MS,
    private readonly deadLetters = new DeadLetters(source),
  ) {}

  start(): void {
    this.loop = this.run();
  }

  /** Another look at the outbox, now. */
  wake(): void {
    this.wakes += 1;
    this.wakeUp();
  }

  /** Is nothing in the outbox? What is in hand stands in it, too. */
  async isQuiet(): Promise<boolean> {
    const rows: unknown[] = await this.source.query("select from relay_read(1, '{}')");
    return rows.length === 0;
  }

  /** Resolves when nothing is in the outbox, by this relay's work or another's, or after so long. */
  async flush(ms: number): Promise<void> {
    const giveUpAt = performance.now() + ms;
    while (performance.now() < giveUpAt && !(await this.isQuiet().catch(() => false)))
      await delay(FLUSH_LOOK_MS);
  }

  /** The bus is closed before: nothing comes in any more, and what was finished is deleted here. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (this.goesOn()) {
      try {
        await this.carry(await this.connect());
      } catch (error) {
        if (this.goesOn()) this.log.warn({ err: error }, 'relay lost its connection, trying again');
        await this.disconnect();
        if (this.goesOn()) await this.sleep(this.pollMs);
      }
    }
    await this.disconnect();
  }

  private async carry(client: PoolClient): Promise<void> {
    while (this.goesOn()) await this.turn(client);
    // What the bus settled when it closed reaches `done` within this turn of the event loop.
    await new Promise(setImmediate);
    await this.deleteDone(client);
  }

  /** A call, because it changes while others run: a plain field would count as known after the first look. */
  private goesOn(): boolean {
    return !this.stopped;
  }

  private async turn(client: PoolClient): Promise<void> {
    const { wakes } = this;
    await this.deleteDone(client);
    const free = IN_HAND_MAX - this.inHand.size;
    const read = free > 0 ? await this.read(client, Math.min(READ_ROWS, free)) : 0;
    if (read < READ_ROWS && this.wakes === wakes) await this.sleep(this.pollMs);
  }

  private async read(client: PoolClient, rows: number): Promise<number> {
    const keys = [...new Set(this.inHand.values())];
    const result = await client.query<OutboxRow>('select * from relay_read($1, $2)', [rows, keys]);
    for (const row of result.rows) {
      // Finished while we read, and not deleted yet.
      if (!this.done.has(row.seq)) void this.offer(row);
    }
    return result.rows.length;
  }

  private async offer(row: OutboxRow): Promise<void> {
    this.inHand.set(row.seq, row.key);
    try {
      if (await this.publish(envelopeOf(row))) {
        this.done.add(row.seq);
        this.wake();
      }
      // Otherwise the next poll offers it again: at once would be a busy loop against a bus that takes nothing.
    } catch (error) {
      this.log.warn(
        { err: error, eventId: row.event_id },
        'event could not be published, it stays in the outbox',
      );
    } finally {
      this.inHand.delete(row.seq);
    }
  }

  /** true: the row may go. */
  private async publish(envelope: Envelope): Promise<boolean> {
    const result = await this.bus.publish(envelope);
    if (result.outcome === 'refused') {
      const { reason } = result;
      this.log.error({ eventId: envelope.id, type: envelope.type, reason }, 'event refused');
      await this.deadLetters.keep(envelope, { reason, error: '', attempts: 1 });
    }
    return result.outcome !== 'postponed';
  }

  private async deleteDone(client: PoolClient): Promise<void> {
    if (this.done.size === 0) return;
    // Others may be finished while the delete is on its way: they wait for the next.
    const seqs = [...this.done];
    await client.query('select relay_done($1)', [seqs]);
    for (const seq of seqs) this.done.delete(seq);
  }

  private async connect(): Promise<PoolClient> {
    this.runner = this.source.createQueryRunner();
    const client = (await this.runner.connect()) as PoolClient;
    client.on('notification', this.onNotification);
    client.on('error', this.onConnectionError);
    await client.query(`listen ${OUTBOX_CHANNEL}`);
    while (this.goesOn() && !(await this.becomesActive(client))) await this.sleep(this.pollMs);
    return client;
  }

  private async becomesActive(client: PoolClient): Promise<boolean> {
    const { rows } = await client.query<{ active: boolean; schema: string }>(
      `select pg_try_advisory_lock(hashtextextended(current_schema() || '.relay', 0)) as active,
         current_schema()::text as schema`,
    );
    this.schema = rows[0]?.schema;
    return rows[0]?.active ?? false;
  }

  /** The channel is the database's: what the other services send is none of our business. */
  private readonly onNotification = ({ payload }: Notification): void => {
    if (payload === this.schema) this.wake();
  };
  private readonly onConnectionError = (): void => this.wake();

  private async disconnect(): Promise<void> {
    const { runner } = this;
    this.runner = undefined;
    if (!runner) return;
    try {
      const client = (await runner.connect()) as PoolClient;
      client.off('notification', this.onNotification);
      client.off('error', this.onConnectionError);
      await client.query('unlisten *; select pg_advisory_unlock_all()');
    } catch {
      // The connection is gone, and with it the lock.
    } finally {
      await runner.release();
    }
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function envelopeOf(row: OutboxRow): Envelope {
  const { event_id: id, topic, key, headers, payload, tenant_id: tenantId } = row;
  return { id, type: headers['ce_type'] ?? '', topic, key, tenantId, headers, payload };
}
