import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from './config.js';

/*
 * A child process that cannot outlive us, not even when we are killed.
 *
 * It is the leader of a process group of its own, so Ctrl-C reaches us alone and we end it when we are done with it. In
 * the same group waits a guard that reads a pipe whose other end only we hold: the kernel closes it when we die, and the
 * guard kills the group. Needs a POSIX shell.
 */
const GUARDED = '(cat <&3; kill -KILL 0) > /dev/null 2>&1 & exec "$@" 3<&-';
const GUARD_PIPE = 3;

const LAST_LINES_MAX = 20;
const END_TIMEOUT_MS = 15_000;
/** So long may what it left behind hold its output open after its end. */
const OUTPUT_TIMEOUT_MS = 1000;

export interface GuardedOptions {
  readonly cwd?: string;
  readonly env?: Environment;
  /** Gets each line that it writes. */
  readonly onLine?: (line: string) => void;
}

export class GuardedProcess {
  /** Settles when the program has ended, whoever ended it, and what it wrote has been read. */
  readonly ended: Promise<void>;
  exitCode: number | null = null;
  /** What it died of, if it was a signal. */
  signalCode: NodeJS.Signals | null = null;
  hasEnded = false;
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];

  constructor(
    program: string,
    args: readonly string[],
    private readonly options: GuardedOptions = {},
  ) {
    const { cwd, env } = options;
    const child = spawn('/bin/sh', ['-c', GUARDED, 'guarded', program, ...args], {
      cwd,
      env: { ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) this.#read(output);
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.hasEnded = true;
        this.exitCode = child.exitCode;
        this.signalCode = child.signalCode;
        resolve();
      };
      child.once('exit', () => {
        child.stdio[GUARD_PIPE]?.destroy();
        // The end of a program may be seen before its last lines are. Where we were paused ourselves the time is up at once:
        // what is there is read first.
        const late = setTimeout(() => setImmediate(end), OUTPUT_TIMEOUT_MS);
        child.once('close', () => {
          clearTimeout(late);
          end();
        });
      });
      child.once('error', (error) => {
        this.#keep(error.message);
        end();
      });
    });
    // A broken pipe to a guard that is gone is no news.
    child.stdio[GUARD_PIPE]?.on('error', () => undefined);
  }

  /** What it wrote last, in one line. */
  get lastWords(): string {
    return this.#lastLines.join(' | ');
  }

  /** Of the program itself, not of its guard. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and resolves when the program has ended; after 15 s, or what is said, it is killed. */
  async end(signal: 'SIGTERM' | 'SIGKILL', timeoutMs = END_TIMEOUT_MS): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill(signal);
    const waiting = new AbortController();
    const late = delay(timeoutMs, 'late', { signal: waiting.signal }).catch(() => 'ended');
    if ((await Promise.race([this.ended, late])) === 'late') {
      this.#child.kill('SIGKILL');
      await this.ended;
    }
    waiting.abort();
  }

  #read(output: NodeJS.ReadableStream | null): void {
    let rest = '';
    output?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#keep(line);
    });
    output?.on('end', () => this.#keep(rest));
  }

  #keep(line: string): void {
    if (line.trim() === '') return;
    this.options.onLine?.(line);
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES_MAX) this.#lastLines.shift();
  }
}

/** Runs a program to its end. @throws Error with its last lines when it fails or time is up */
export async function runGuarded(
  program: string,
  args: readonly string[],
  { timeoutMs, ...options }: GuardedOptions & { readonly timeoutMs: number },
): Promise<string> {
  const process = new GuardedProcess(program, args, options);
  const waiting = new AbortController();
  const late = delay(timeoutMs, 'late', { signal: waiting.signal }).catch(() => 'ended');
  const timedOut = (await Promise.race([process.ended, late])) === 'late';
  waiting.abort();
  if (timedOut) await process.end('SIGKILL');
  if (process.exitCode === 0) return process.lastWords;
  const reason = timedOut ? `did not end within ${timeoutMs / 1000} s` : 'failed';
  throw new Error(`${program} ${args[0] ?? ''} ${reason}: ${process.lastWords}`);
}
