import { setTimeout as delay } from 'node:timers/promises';
import { SERVICES } from '@quire/contracts/scope';
import type { Stage } from './stage.js';

/*
 * Looks at the fleet once a second while an engine is away: how requests are answered, how much waits in the outboxes, and for
 * how long a running export says nothing.
 */
const LOOK_MS = 1000;
const ASK_TIMEOUT_MS = 40_000;

/** Each reads a table of another service. */
const READS = [
  '/data-export/job-profiles?limit=1',
  '/metadata-provider/jobExecutions?limit=1',
  '/source-storage/records?limit=1',
  '/finance-storage/groups?limit=1',
];

const OUTBOX_ROWS = `select (${SERVICES.map(
  (service) => `(select count(*) from ${service.replaceAll('-', '_')}.outbox)`,
).join(' + ')})::int as rows`;

const SILENCE = `select coalesce(max(extract(epoch from clock_timestamp() - last_updated)), 0)::float8 as seconds
  from data_export.job_execution where status = 'IN_PROGRESS'`;

export class OutageWatch {
  /** Answers by status. */
  readonly answers = new Map<number, number>();
  outboxRowsMost = 0;
  /** Seconds since a running export was changed last. */
  silenceMost = 0;
  /** What no outage excuses. */
  readonly faults = new Set<string>();
  private readonly ended = new AbortController();
  private readonly looking: Promise<unknown>;

  private constructor(
    private readonly stage: Stage,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.looking = Promise.all([this.every(() => this.ask()), this.every(() => this.look())]);
  }

  /** Begins to look. */
  static async begin(stage: Stage): Promise<OutageWatch> {
    const { url, password } = stage.fleet;
    const tenant = { 'x-okapi-tenant': 'library' };
    const login = await fetch(`${url}/authn/login`, {
      method: 'POST',
      headers: { ...tenant, 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password }),
    });
    const { okapiToken } = (await login.json()) as { okapiToken: string };
    return new OutageWatch(stage, { ...tenant, 'x-okapi-token': okapiToken });
  }

  async end(): Promise<void> {
    this.ended.abort();
    await this.looking;
  }

  private async every(work: () => Promise<void>): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      await work();
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async ask(): Promise<void> {
    await Promise.all(
      READS.map(async (path) => {
        const answer = await fetch(this.stage.fleet.url + path, {
          headers: this.headers,
          signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
        }).catch((error: unknown) => String(error));
        if (typeof answer === 'string') {
          this.faults.add(`${path}: ${answer}`);
          return;
        }
        await answer.text();
        const { status } = answer;
        this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
        const told = status === 200 || (status === 503 && answer.headers.has('retry-after'));
        if (!told) this.faults.add(`${path} was answered with ${status}`);
      }),
    );
  }

  private async look(): Promise<void> {
    try {
      const [outbox] = await this.stage.fleet.query<{ rows: number }>(OUTBOX_ROWS);
      const [silence] = await this.stage.fleet.query<{ seconds: number }>(SILENCE);
      this.outboxRowsMost = Math.max(this.outboxRowsMost, outbox?.rows ?? 0);
      this.silenceMost = Math.max(this.silenceMost, silence?.seconds ?? 0);
    } catch {
      // The database is what is away.
    }
  }
}
