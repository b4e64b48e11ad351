import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { codeOf, serverEnvironment, wayTo, type ServerUser, type Way } from './server-user.js';

const READY_TIMEOUT_MS = 120_000; // recovery after a power cut replays at most max_wal_size
const READY_POLL_MS = 20;
const FAST_STOP_TIMEOUT_MS = 15_000; // a stop of Quire as a whole has 25 s
const LAST_LINES_MAX = 20;
/** So long may a process that it left behind hold its log open. */
const LOG_TIMEOUT_MS = 1000;

export interface ServerStart {
  readonly program: string;
  readonly dataDir: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly user: ServerUser | null;
  readonly log: (line: string) => void;
}

/** One run of the server program, from its start to its exit. */
export class Server {
  readonly exited: Promise<void>;
  /** Its log was read to the end. */
  private readonly told: Promise<void>;
  private readonly child;
  private readonly lastLines: string[] = [];
  private hasExited = false;

  static async launch(start: ServerStart): Promise<Server> {
    return new Server(start, await wayTo(start.dataDir, start.user));
  }

  private constructor(
    private readonly start: ServerStart,
    way: Way,
  ) {
    const { program, port, settings, user } = start;
    const all = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.child = spawn(program, ['-D', way.path, '-p', String(port), ...flags], {
      ...user,
      cwd: way.cwd,
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
    this.told = new Promise((done) => this.child.once('close', () => done()));
    this.readLog();
    this.unref();
  }

  /** False when the server ended, and said why. A login is the test: a server that accepts connections may still be starting up. */
  async isReady(url: string): Promise<boolean> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      // If the port was taken, the one who answers (or does not) is somebody else.
      const refusal = await Promise.race([
        login(url),
        this.exited.then(() => new Error('it ended')),
      ]);
      if (this.hasExited) {
        // Its end may be seen before its last lines are. Where we were paused ourselves the time is up at once: what is there
        // is read first.
        await Promise.race([this.told, delay(LOG_TIMEOUT_MS).then(() => turn())]);
        return false;
      }
      if (refusal === null) return true;
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

  /** As a power cut ends it: the next start replays the log. */
  async kill(): Promise<void> {
    if (this.hasExited) return;
    this.child.ref();
    this.child.kill('SIGKILL');
    await this.exited;
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
    if (this.child.stderr instanceof Socket) this.child.stderr.unref();
  }
}

/** Null when the server let us in. */
async function login(url: string): Promise<Error | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
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
