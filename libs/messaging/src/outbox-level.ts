import { unavailable } from '@quire/contracts/failure';
import { Int } from '@quire/contracts/fields';
import type { DataSource } from 'typeorm';

/** Bounds of an outbox (reliability, section 4), read from `QUIRE_OUTBOX_…`; the initial values are the defaults. */
export class OutboxSettings {
  /** More rows than that: degraded. */
  @Int({ min: 0 }) readonly outboxLongRows: number = 100_000;
  /** A row that is older: degraded. */
  @Int({ min: 1 }) readonly outboxLateSeconds: number = 300;
  /** More rows than that: no new jobs. */
  @Int({ min: 0 }) readonly outboxRowsMax: number = 1_000_000;
  /** Pause between two looks. */
  @Int({ min: 10 }) readonly outboxLookMs: number = 5000;
}

export interface OutboxStand {
  /** Counting ends with the first row that is too many. */
  readonly rows: number;
  /** Age of the row that waits longest; 0: none waits. */
  readonly oldestSeconds: number;
}

const RETRY_SECONDS = 30;

/**
 * How full the outbox of a service is, for those who ask between two looks: readiness, metrics, and whoever would begin a job.
 *
 * While the bus is away, events pile up. Jobs that run add little, because the dispatcher's windows bound their work; what
 * would let the table grow without end are new ones, so these are refused. A look counts rows, at most as many as are
 * allowed; who writes an event never does, and never waits.
 */
export class OutboxLevel {
  private stand: OutboxStand = { rows: 0, oldestSeconds: 0 };

  constructor(
    private readonly source: DataSource,
    private readonly settings: Readonly<OutboxSettings>,
    private readonly report: (stand: OutboxStand) => void = () => undefined,
  ) {}

  async look(): Promise<void> {
    const [stand] = await this.source.query<OutboxStand[]>(LOOK, [this.settings.outboxRowsMax + 1]);
    if (!stand) return;
    this.stand = stand;
    this.report(stand);
  }

  /** For readiness. @throws Error when events wait too long, or too many of them */
  check(): Promise<void> {
    const { rows, oldestSeconds } = this.stand;
    const { outboxLongRows, outboxLateSeconds } = this.settings;
    if (rows <= outboxLongRows && oldestSeconds <= outboxLateSeconds) return Promise.resolve();
    return Promise.reject(
      new Error(`${rows} events wait, the oldest for ${Math.round(oldestSeconds)} s.`),
    );
  }

  /** @throws Failure 503 when so many events wait that no new job may begin */
  admitJob(): void {
    if (this.stand.rows > this.settings.outboxRowsMax) throw unavailable(RETRY_SECONDS);
  }
}

const LOOK = 'select rows, oldest_seconds as "oldestSeconds" from outbox_stand($1)';
