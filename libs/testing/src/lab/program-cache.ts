import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FolderLock } from '@quire/embedded/folder-lock';
import { cacheFolder, environment } from './config.js';
import { runGuarded } from './guarded-process.js';

const LOCK_POLL_MS = 250;
const LOCK_TIMEOUT_MS = 60 * 60_000; // longer than anything that holds it
const VERSION_TIMEOUT_MS = 30_000;

/** An engine cannot be had on this machine. The message says what is missing. */
export class EngineMissing extends Error {
  override readonly name = 'EngineMissing';
}

/**
 * The folder of fetched programs with that name, made by `fetch` unless it is there. Fetched once per machine: under a
 * lock, into a folder beside it that takes its name when it is whole.
 *
 * @throws EngineMissing when it cannot be fetched, for want of a network, say
 */
export async function cached(
  name: string,
  fetch: (folder: string) => Promise<void>,
  cache = cacheFolder,
): Promise<string> {
  const whole = join(cache, name);
  if (await isThere(whole)) return whole;
  const lock = await waitForLock(`${whole}.lock`);
  const unfinished = `${whole}.unfinished`;
  try {
    if (await isThere(whole)) return whole;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await fetch(unfinished).catch((cause: unknown) => {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new EngineMissing(`${name} could not be fetched: ${words}`, { cause });
    });
    await rename(unfinished, whole);
    return whole;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    lock[Symbol.dispose]();
  }
}

/** @throws EngineMissing that names all programs that are not there or are too old */
export async function needPrograms(
  purpose: string,
  programs: readonly NeededProgram[],
): Promise<void> {
  const found = await Promise.all(programs.map(missingOf));
  const missing = found.filter((one) => one !== undefined);
  if (missing.length > 0) throw new EngineMissing(`${purpose} needs ${missing.join(' and ')}.`);
}

export interface NeededProgram {
  /** What a person calls it, such as `Java 17 or newer`. */
  readonly title: string;
  readonly program: string;
  /** Arguments that make it tell its version. */
  readonly versionArgs: readonly string[];
  /** Its major version is the first group. */
  readonly version?: { readonly pattern: RegExp; readonly least: number };
}

async function missingOf(needed: NeededProgram): Promise<string | undefined> {
  const { title, program, versionArgs, version } = needed;
  try {
    const text = await runGuarded(program, versionArgs, {
      env: environment,
      timeoutMs: VERSION_TIMEOUT_MS,
    });
    if (!version) return undefined;
    const major = Number(version.pattern.exec(text)?.[1]);
    return major >= version.least ? undefined : `${title} (there is ${text})`;
  } catch {
    return `${title} (\`${program}\` does not run)`;
  }
}

async function waitForLock(path: string): Promise<FolderLock> {
  const giveUpAt = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    const lock = await FolderLock.take(path);
    if (lock) return lock;
    if (performance.now() > giveUpAt) throw new Error(`Somebody else has held ${path} too long.`);
    await delay(LOCK_POLL_MS);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
