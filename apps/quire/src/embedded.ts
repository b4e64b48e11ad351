import { createHmac, randomBytes } from 'node:crypto';
import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadKeys } from '@quire/auth/keys';
import { startPostgres, tellsOfTrouble } from '@quire/embedded/postgres';
import { bootstrapTenants } from '@quire/gateway/service';
import { prepareTopics } from '@quire/messaging/kafka-topics';
import { openSource, prepareDatabase, type PasswordOf } from '@quire/postgres/migrate';
import { openLog, type Log } from '@quire/service/log';
import type { ServiceUrls } from '@quire/service/service-client';
import { openBackends } from './backends.js';
import type { QuireSettings } from './config.js';
import { definitionsOf, POOL_SIZE, Services } from './services.js';

/*
 * The embedded mode: all five services in one process, which makes whatever is missing. Unless the settings name others: a
 * real PostgreSQL, the object store on disk, the in-process bus. Things are opened in the order of their use and closed the
 * other way round, also when a start fails half-way.
 */
export interface RunningQuire {
  /** The public door. */
  readonly url: string;
  readonly operationsUrl: string;
  /** Of the first user; as it was made or given. */
  readonly password: string;
  readonly passwordFile: string;
  /** The password was made in this start. */
  readonly firstStart: boolean;
  /** Base addresses of the services' internal doors. */
  readonly serviceUrls: ServiceUrls;
  /** Resolves when no event is on its way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const PASSWORD_BYTES = 18;

/**
 * Starts everything. @param say gets the progress, in plain lines
 *
 * @throws Error with a sentence that says what to do: data directory not writable or in use, port taken
 */
export async function startQuire(
  settings: QuireSettings,
  say: (line: string) => void,
): Promise<RunningQuire> {
  const log = openLog();
  const opened = new AsyncDisposableStack();
  try {
    await openDataDir(settings.dataDir);
    const keys = await loadKeys(settings.keysDir);
    const passwordOf = await databasePasswords(settings.keysDir);
    say('Starting the database …');
    const adminUrl = await openDatabase(settings, opened, log);
    await prepareDatabase(
      adminUrl,
      definitionsOf(settings).map((one) => one.schema),
      passwordOf,
    );
    if (settings.kafka) await prepareTopics(settings.kafka);
    const admin = await adminPassword(settings);
    say('Starting the services …');
    const services = new Services(settings, log, opened);
    await services.openOperations();
    await services.start({
      keys,
      openBackends: (parts) => openBackends(settings, parts, opened),
      openTables: ({ name, schema }, onError) =>
        openSource(adminUrl, schema.schema, passwordOf, {
          poolSize: POOL_SIZE,
          waitMs: settings.databaseWaitMs,
          applicationName: `quire-${name}`,
          onError,
        }),
    });
    await bootstrapTenants(services.get('gateway').app, {
      tenant: settings.tenant,
      username: settings.adminUsername,
      password: admin.password,
      loadSample: settings.sample,
    });
    return {
      url: services.url,
      operationsUrl: services.operationsUrl,
      ...admin,
      serviceUrls: services.urls,
      settled: () => services.settled(),
      stop: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function openDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK);
  } catch (error) {
    const text = `The data directory ${dataDir} is not writable. Choose another with QUIRE_DATA_DIR.`;
    throw new Error(text, { cause: error });
  }
}

async function openDatabase(
  settings: QuireSettings,
  opened: AsyncDisposableStack,
  log: Log,
): Promise<string> {
  if (settings.databaseUrl !== undefined) return settings.databaseUrl;
  const postgres = await startPostgres({
    dataDir: join(settings.dataDir, 'postgres'),
    log: (line) => {
      if (tellsOfTrouble(line)) log.warn({ postgres: line }, 'the database reports trouble');
    },
  });
  opened.defer(() => postgres.stop());
  return postgres.url;
}

/** Passwords of the database roles, derived from one secret beside the other keys. */
async function databasePasswords(keysDir: string): Promise<PasswordOf> {
  const secret = await readOrMake(join(keysDir, 'database'), () => randomBytes(32).toString('hex'));
  return (role) => createHmac('sha256', secret.text).update(role).digest('hex');
}

async function adminPassword(
  settings: QuireSettings,
): Promise<{ password: string; passwordFile: string; firstStart: boolean }> {
  const passwordFile = join(settings.dataDir, 'admin-password');
  if (settings.adminPassword !== undefined) {
    return { password: settings.adminPassword, passwordFile, firstStart: false };
  }
  const kept = await readOrMake(passwordFile, () =>
    randomBytes(PASSWORD_BYTES).toString('base64url'),
  );
  return { password: kept.text, passwordFile, firstStart: kept.made };
}

async function readOrMake(
  file: string,
  make: () => string,
): Promise<{ readonly text: string; readonly made: boolean }> {
  try {
    return { text: (await readFile(file, 'utf8')).trim(), made: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const text = make();
    await writeFile(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
    return { text, made: true };
  }
}
