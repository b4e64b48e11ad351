import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { QuireClient } from '@quire/quire/cli/client';
import { startPostgres, type EmbeddedPostgres } from '@quire/embedded/postgres';

export const MAIN = fileURLToPath(
  new URL('../../../../apps/quire/dist/src/main.js', import.meta.url),
);
const READY = 'Quire is ready at ';

/**
 * Quire in a process of its own, as a user runs it, on a throw-away data directory. Its PostgreSQL is ours, so that a bench
 * can measure the same server with and without Quire, and a kill of Quire leaves it running.
 */
export class QuireProcess implements AsyncDisposable {
  private child: ChildProcess | undefined;
  url = '';

  private constructor(
    readonly dataDir: string,
    private readonly postgres: EmbeddedPostgres,
    private readonly main: string,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  /**
   * @param main another program than Quire's own, to be called like it
   * @param settings besides those that give it a place of its own
   */
  static async start(
    main = MAIN,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<QuireProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), 'quire-bench-'));
    const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres') });
    const quire = new QuireProcess(dataDir, postgres, main, settings);
    await quire.run();
    return quire;
  }

  get databaseUrl(): string {
    return this.postgres.url;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Starts the process; resolves at its ready line. */
  async run(): Promise<void> {
    // As `tools/start.mjs` starts it.
    const child = spawn(process.execPath, ['--max-semi-space-size=8', this.main, 'start'], {
      env: {
        ...process.env,
        MALLOC_ARENA_MAX: '2',
        DATABASE_URL: this.databaseUrl,
        QUIRE_DATA_DIR: this.dataDir,
        QUIRE_PORT: '0',
        QUIRE_OPERATIONS_PORT: '0',
        ...this.settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith(READY)) continue;
      this.url = line.slice(READY.length).trim();
      child.stdout.resume();
      return;
    }
    throw new Error('Quire did not become ready.');
  }

  async client(): Promise<QuireClient> {
    const password = (await readFile(join(this.dataDir, 'admin-password'), 'utf8')).trim();
    return new QuireClient({ url: this.url, tenant: 'library', username: 'admin', password });
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGTERM');
    await this.postgres.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
