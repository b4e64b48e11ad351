import { setTimeout as delay } from 'node:timers/promises';
import { KeyRing } from '@quire/auth/keys';
import { announceTenants, bootstrapTenants } from '@quire/gateway/service';
import { classify } from '@quire/messaging/retry';
import { openSource } from '@quire/postgres/migrate';
import { openPrepared } from '@quire/postgres/prepared';
import { openLog, type Log } from '@quire/service/log';
import { openBackends } from './backends.js';
import type { QuireSettings } from './config.js';
import { appPasswords } from './roles.js';
import { POOL_SIZE, Services } from './services.js';

/*
 * A process with some of the services, one of many. Nothing is made here: database, topics, bucket and keys are there before
 * (`quire migrate`, `quire keys`), or are waited for. Probes are answered from the first moment on.
 */
export interface RunningProcess {
  /** The public door, or where the other services reach the first service of this process. */
  readonly url: string;
  readonly operationsUrl: string;
  stop(): Promise<void>;
}

const TELL_FIRST_MS = 500;
const TELL_MAX_MS = 15_000;
const AGAIN_MS = 1000;

/**
 * A database that goes away in the middle of the start is waited for like one that is not there yet: the start begins anew.
 *
 * @param stopped aborts a start that waits
 * @throws KeyFileRefused, Error with a sentence that says what to do: a key missing, a port taken, a schema not walled in
 */
export async function startProcess(
  settings: QuireSettings,
  stopped: AbortSignal,
): Promise<RunningProcess> {
  const log = openLog();
  for (;;) {
    try {
      return await startOnce(settings, stopped, log);
    } catch (err) {
      if (stopped.aborted || classify(err) !== 'transient') throw err;
      log.warn({ err }, 'the start was interrupted by an outage, trying again');
      await delay(AGAIN_MS, undefined, { signal: stopped });
    }
  }
}

async function startOnce(
  settings: QuireSettings,
  stopped: AbortSignal,
  log: Log,
): Promise<RunningProcess> {
  const opened = new AsyncDisposableStack();
  try {
    const { runs, keysDir, databaseUrl = '' } = settings;
    const keys = await KeyRing.load(keysDir, { services: runs, create: false });
    const passwordOf = appPasswords(settings);
    const services = new Services(settings, log, opened);
    await services.openOperations();
    await services.start({
      keys,
      openBackends: (parts) => openBackends(settings, parts, opened),
      openTables: ({ name, schema }, onError) => {
        passwordOf(`${schema.schema}_app`); // a missing file is no outage to be waited for
        const options = {
          poolSize: POOL_SIZE,
          applicationName: `quire-${name}`,
          waitMs: settings.databaseWaitMs,
          onError,
        };
        return openPrepared(
          () => openSource(databaseUrl, schema.schema, passwordOf, options),
          schema,
          {
            signal: stopped,
            onWait: (reason) => {
              services.waitFor(reason);
              log.warn({ service: name }, `waiting for ${reason}`);
            },
          },
        );
      },
    });
    if (runs.includes('gateway')) opened.use(new TenantTelling(services, settings, log));
    return {
      url: services.url,
      operationsUrl: services.operationsUrl,
      stop: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/**
 * Makes the first tenant and its users, if a password for them is set, and tells the other services of all tenants: in the
 * background and for as long as it takes, because they may come up later than the gateway, or be down just now.
 */
class TenantTelling implements Disposable {
  private readonly stopping = new AbortController();

  constructor(
    private readonly services: Services,
    private readonly settings: QuireSettings,
    private readonly log: Log,
  ) {
    void this.tell();
  }

  /** A turn in hand fails when the services are gone; nobody waits for it. */
  [Symbol.dispose](): void {
    this.stopping.abort();
  }

  private async tell(): Promise<void> {
    const { signal } = this.stopping;
    for (
      let pauseMs = TELL_FIRST_MS;
      !signal.aborted;
      pauseMs = Math.min(2 * pauseMs, TELL_MAX_MS)
    ) {
      if (await this.told(signal)) return;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async told(signal: AbortSignal): Promise<boolean> {
    const { app } = this.services.get('gateway');
    const { adminPassword: password, adminUsername: username, tenant, sample } = this.settings;
    try {
      if (password === undefined) await announceTenants(app);
      else await bootstrapTenants(app, { tenant, username, password, loadSample: sample });
      return true;
    } catch (err) {
      if (!signal.aborted)
        this.log.warn({ err }, 'not every service was told of the tenants, trying again');
      return false;
    }
  }
}
