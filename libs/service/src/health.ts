/** State of one service for probes (conventions, section 19). */
export interface Readiness {
  readonly status: 'UP' | 'DOWN';
  /** By name: `UP`, or why not. */
  readonly checks: Readonly<Record<string, string>>;
}

type Check = () => Promise<void>;

/** A check that takes longer counts as failed. */
const CHECK_MS_MAX = 2_000;

/** Asks what a service depends on. Liveness never comes here: an outage must not restart every process. */
export class Health {
  private readonly checks = new Map<string, Check>();
  private stopping = false;

  add(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  /** From now on the service is not ready, whatever its stores say. */
  stop(): void {
    this.stopping = true;
  }

  async ready(): Promise<Readiness> {
    const found = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await resultOf(check)] as const),
    );
    const up = !this.stopping && found.every(([, result]) => result === 'UP');
    return { status: up ? 'UP' : 'DOWN', checks: Object.fromEntries(found) };
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
  const up = [...parts.values()].every(({ status }) => status === 'UP');
  return { status: up ? 'UP' : 'DOWN', checks };
}
