import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { findBinaries } from './binaries.js';
import { endLeftoverServer, openDataFolder } from './data-folder.js';
import { FolderLock } from './folder-lock.js';
import { codeOf, serverEnvironment, serverUserOf, type ServerUser } from './server-user.js';

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
 * Commits stay synchronous: what was answered with 2xx survives a power cut.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  max_connections: '120',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

const READY_TIMEOUT_MS = 120_000; // recovery after a power cut replays at most max_wal_size
const READY_POLL_MS = 20;
const FAST_STOP_TIMEOUT_MS = 15_000; // a stop of Quire as a whole has 25 s
const PORT_TRIES_MAX = 5; // between our choice of a free port and the server's bind another process may take it
const LAST_LINES_MAX = 20;

/**
 * Starts the PostgreSQL of a data folder.
 *
 * @throws with a sentence that says what to do: folder in use by another process, not reachable, port taken, programs missing.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const log = options.log ?? (() => undefined);
  const lock = await FolderLock.take(`${dataDir}.lock`);
  if (!lock)
    throw new Error(
      `The database in ${dataDir} is in use by another process. Stop that one, or choose another data directory.`,
    );
  try {
    const settings = { ...SETTINGS, ...options.settings };
    const user = await serverUserOf(dataDir);
    const programs = await findBinaries(user, `${dataDir}.native`);
    if (await endLeftoverServer(dataDir, programs, user))
      log('stopped the PostgreSQL that a killed process had left behind');
    const password = await openDataFolder(dataDir, programs, user, {
      sync: settings.fsync !== 'off',
    });
    for (let triesLeft = PORT_TRIES_MAX; ; triesLeft -= 1) {
      const port = options.port ?? (await freePort());
      const server = new Server({ program: programs.postgres, dataDir, port, settings, user, log });
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

interface ServerStart {
  readonly program: string;
  readonly dataDir: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly user: ServerUser | null;
  readonly log: (line: string) => void;
}

class Server {
  readonly exited: Promise<void>;
  private readonly child;
  private readonly lastLines: string[] = [];
  private hasExited = false;

  constructor(private readonly start: ServerStart) {
    const { program, dataDir, port, settings, user } = start;
    const all = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.child = spawn(program, ['-D', dataDir, '-p', String(port), ...flags], {
      ...user,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: serverEnvironment(),
    });
    this.exited = new Promise((done) => {
      const ended = (): void => {
        this.hasExited = true;
        done();
      };
      this.child.once('exit', ended);
      this.child.once('error', (error) => {
        this.keep(error.message);
        ended();
      });
    });
    this.readLog();
    this.unref();
  }

  /** False when the server ended. A login is the test: a server that accepts connections may still be starting up. */
  async isReady(url: string): Promise<boolean> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      // If the port was taken, the one who answers (or does not) is somebody else.
      const refusal = await Promise.race([
        login(url),
        this.exited.then(() => new Error('it ended')),
      ]);
      if (refusal === null) return !this.hasExited;
      if (this.hasExited) return false;
      if (performance.now() > giveUpAt || isFinal(refusal)) {
        await this.stop();
        throw new Error(`PostgreSQL on ${this.start.dataDir} lets nobody in: ${refusal.message}`, {
          cause: refusal,
        });
      }
      await delay(READY_POLL_MS);
    }
  }

  get portTaken(): boolean {
    return this.lastLines.some((line) => line.includes('could not bind IPv4 address'));
  }

  failure(port: number): Error {
    return new Error(
      this.portTaken
        ? `Port ${port} is taken, so PostgreSQL cannot listen on it. Choose another one, or leave it out for a free one.`
        : `PostgreSQL did not start on ${this.start.dataDir}: ${this.lastLines.join(' | ')}`,
    );
  }

  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.child.ref();
    this.child.kill('SIGINT');
    const waiting = new AbortController();
    const late = delay(FAST_STOP_TIMEOUT_MS, 'late', { signal: waiting.signal }).catch(
      () => 'stopped',
    );
    if ((await Promise.race([this.exited, late])) === 'late') {
      // Immediate shutdown: nothing that was committed is lost, the next start replays the log.
      this.start.log('PostgreSQL did not stop in time, stopping it at once');
      this.child.kill('SIGQUIT');
      await this.exited;
    }
    waiting.abort();
  }

  private readLog(): void {
    let rest = '';
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.keep(line);
    });
  }

  private keep(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > LAST_LINES_MAX) this.lastLines.shift();
    this.start.log(line);
  }

  /** Else a set-up that fails before it stops us keeps its process alive for ever. */
  private unref(): void {
    this.child.unref();
    const pipe: object = this.child.stderr;
    if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  }
}

/** Null when the server let us in. */
async function login(url: string): Promise<Error | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // the reason arrives as the rejection of connect()
  try {
    await client.connect();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** 28P01: the password is wrong, and waiting will not mend it. */
function isFinal(refusal: Error): boolean {
  return codeOf(refusal) === '28P01';
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
