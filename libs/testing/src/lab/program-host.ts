import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderLock } from '@quire/embedded/folder-lock';
import { environment } from './config.js';
import type { EngineHost, RunningEngine } from './engine.js';
import { GuardedProcess } from './guarded-process.js';

export interface EngineProgram {
  /** Runs before the program, on a data folder that may or may not have been used before. */
  prepare?(dataDir: string): Promise<void>;
  readonly program: string;
  args(dataDir: string): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const PREFIX = 'quire-lab-';
const LOCK = 'lock';
/** A folder is made before it is locked. */
const ABANDONED_AFTER_MS = 60_000;

/** An engine as a child process on a throw-away data folder. */
export class ProgramHost implements EngineHost {
  private constructor(
    private readonly folder: string,
    private readonly lock: FolderLock | null,
    private readonly engine: EngineProgram,
  ) {}

  static async open(engine: EngineProgram): Promise<ProgramHost> {
    await removeAbandoned();
    const folder = await mkdtemp(join(tmpdir(), PREFIX));
    return new ProgramHost(folder, await FolderLock.take(join(folder, LOCK)), engine);
  }

  async launch(): Promise<RunningEngine> {
    const { program, env } = this.engine;
    await this.engine.prepare?.(this.dataDir);
    return new ProgramEngine(program, this.engine.args(this.dataDir), {
      cwd: this.folder,
      env: { ...environment, ...env },
    });
  }

  async wipe(): Promise<void> {
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    this.lock?.[Symbol.dispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get dataDir(): string {
    return join(this.folder, 'data');
  }
}

class ProgramEngine extends GuardedProcess implements RunningEngine {
  freeze(): Promise<void> {
    return Promise.resolve(this.signal('SIGSTOP'));
  }

  continue(): Promise<void> {
    return Promise.resolve(this.signal('SIGCONT'));
  }
}

/** A process that was killed took its engine along, but not the data. Whose lock is free has no owner any more. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(tmpdir(), name);
    const made = await stat(folder).catch(() => undefined);
    if (!made || Date.now() - made.mtimeMs < ABANDONED_AFTER_MS) continue;
    const lock = await FolderLock.take(join(folder, LOCK)).catch(() => null);
    if (!lock) continue;
    lock[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  }
}
