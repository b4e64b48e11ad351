import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { findBinaries } from './binaries.js';
import { endLeftoverServer, openDataFolder } from './data-folder.js';
import { FolderLock } from './folder-lock.js';
import { Server } from './server.js';
import { openParentFor, serverUserOf } from './server-user.js';

/*
 * A real PostgreSQL as a child process, from programs that npm installed.
 *
 * States: locked → leftover ended → folder opened (made at the first start) → server started → a login succeeded.
 * The server is in a process group of its own, so that Ctrl-C reaches us alone and we stop it last. If we are killed
 * it lives on; the lock is gone with us, and the next start finds its pid file, ends it and starts anew.
 * It listens on loopback only, and only with a password that stays in a file of mode 0600.
 */

export interface PostgresOptions {
  /** Folder of the database. Made, with its parents, when it is missing. Company of it: see data-folder.ts. */
  readonly dataDir: string;
  /** Port on 127.0.0.1. Left out: a free one. */
  readonly port?: number;
  /** Server settings (`-c name=value`) in place of ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Gets each line that the server writes, and one for each unusual step of ours. */
  readonly log?: (line: string) => void;
}

/**
 * For one process with five services and tens of pooled connections, on a machine that does other things too.
 * Commits stay synchronous: what was answered with 2xx survives a power cut. Measured with 200,000 records of 1.2 kB in
 * batches of 500 over three connections: 94,000 to 107,000 records/s, and no difference beyond that noise from twice the
 * shared buffers, larger WAL buffers, compressed WAL or rarer checkpoints. So the rest stays as Postgres has it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  max_connections: '120',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %e ', // %e: the SQLSTATE
};

/**
 * What the server refuses in every day's work would bury what an operator must see: a row that breaks a constraint (SQLSTATE
 * class 23), which who sent it is told by a 4xx, and our own logins while it starts (57P03).
 */
const TROUBLE = /(?<!\b(?:23[0-9A-Z]{3}|57P03) )\b(WARNING|ERROR|FATAL|PANIC):/;

/** Must an operator see this line of the server? */
export const tellsOfTrouble = (line: string): boolean => TROUBLE.test(line);

const PORT_TRIES_MAX = 5; // between our choice of a free port and the server's bind another process may take it

/**
 * Starts the PostgreSQL of a data folder.
 *
 * @throws with a sentence that says what to do: folder in use by another process, not reachable, port taken, programs missing.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const wanted = resolve(options.dataDir);
  const user = await serverUserOf(wanted);
  await openParentFor(user, wanted);
  const dataDir = join(await realpath(dirname(wanted)), basename(wanted));
  const log = options.log ?? (() => undefined);
  const lock = await FolderLock.take(`${dataDir}.lock`);
  if (!lock)
    throw new Error(
      `The database in ${dataDir} is in use by another process. Stop that one, or choose another data directory.`,
    );
  try {
    const settings = { ...SETTINGS, ...options.settings };
    const programs = await findBinaries(user, `${dataDir}.native`);
    if (await endLeftoverServer(dataDir, programs, user))
      log('stopped the PostgreSQL that a killed process had left behind');
    const password = await openDataFolder(dataDir, programs, user, {
      sync: settings.fsync !== 'off',
    });
    for (let triesLeft = PORT_TRIES_MAX; ; triesLeft -= 1) {
      const port = options.port ?? (await freePort());
      const server = await Server.launch({
        program: programs.postgres,
        dataDir,
        port,
        settings,
        user,
        log,
      });
      const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
      if (await server.isReady(url)) return new EmbeddedPostgres(url, port, server, lock);
      if (!server.portTaken || options.port !== undefined || triesLeft === 1)
        throw server.failure(port);
    }
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** A running server. Dispose of it once; later calls wait for the same stop. */
export class EmbeddedPostgres implements AsyncDisposable {
  private stopping: Promise<void> | undefined;

  constructor(
    /** Superuser, database `postgres`, password included: not for logs. */
    readonly url: string,
    readonly port: number,
    private readonly server: Server,
    private readonly lock: FolderLock,
  ) {}

  /** Settles when the server has ended, whoever ended it. */
  get exited(): Promise<void> {
    return this.server.exited;
  }

  /** Fast shutdown: open transactions are rolled back, connections closed. Resolves when no process is left. */
  stop(): Promise<void> {
    this.stopping ??= this.server.stop().finally(() => this.lock[Symbol.dispose]());
    return this.stopping;
  }

  /** For tests of what survives: SIGKILL, nothing is closed. Resolves when the server itself has ended. */
  kill(): Promise<void> {
    this.stopping ??= this.server.kill().finally(() => this.lock[Symbol.dispose]());
    return this.stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string')
    throw new Error('No free port on 127.0.0.1.');
  return address.port;
}
