/** State of one service for probes (conventions, section 19). */
export interface Readiness {
  /** `DEGRADED`: it serves requests, but part of its work waits. */
  readonly status: 'UP' | 'DEGRADED' | 'DOWN';
  /** By name: `UP`, or why not. */
  readonly checks: Readonly<Record<string, string>>;
}

type Check = () => Promise<void>;

/** A check that takes longer counts as failed. */
const CHECK_MS_MAX = 2_000;

/** Asks what a service depends on. Liveness never comes here: an outage must not restart every process. */
export class Health {
  private readonly checks = new Map<string, { readonly check: Check; readonly needed: boolean }>();
  private stopping = false;

  /** Without it no request can be served. */
  add(name: string, check: Check): void {
    this.checks.set(name, { check, needed: true });
  }

  /** Without it the service serves requests, and the rest of its work waits: degraded, but ready. */
  addOptional(name: string, check: Check): void {
    this.checks.set(name, { check, needed: false });
  }

  /** From now on the service is not ready, whatever its stores say. */
  stop(): void {
    this.stopping = true;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  async ready(): Promise<Readiness> {
    const found = await Promise.all(
      [...this.checks].map(async ([name, { check, needed }]) => ({
        name,
        needed,
        result: await resultOf(check),
      })),
    );
    const failed = found.filter(({ result }) => result !== 'UP');
    const down = this.stopping || failed.some(({ needed }) => needed);
    return {
      status: down ? 'DOWN' : failed.length > 0 ? 'DEGRADED' : 'UP',
      checks: Object.fromEntries(found.map(({ name, result }) => [name, result])),
    };
  }
}

async function resultOf(check: Check): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`DOWN: no answer in ${CHECK_MS_MAX} ms`), CHECK_MS_MAX);
  });
  try {
    return await Promise.race([
      check().then(
        () => 'UP',
        () => 'DOWN',
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Readiness of several services in one process: each check by `<service>.<check>` unless there is only one. */
export function together(parts: ReadonlyMap<string, Readiness>): Readiness {
  const checks: Record<string, string> = {};
  for (const [service, readiness] of parts) {
    for (const [name, result] of Object.entries(readiness.checks)) {
      checks[parts.size === 1 ? name : `${service}.${name}`] = result;
    }
  }
  const worst = (['DOWN', 'DEGRADED'] as const).find((status) =>
    [...parts.values()].some((readiness) => readiness.status === status),
  );
  return { status: worst ?? 'UP', checks };
}
