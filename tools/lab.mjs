import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { main, pinnedNode, root, run } from './process.mjs';
import { prepare } from './setup.mjs';

/*
 * `npm run lab`: a real Kafka broker and a real S3 server on loopback, until Ctrl-C; prints the settings that point to them.
 * `npm run lab -- <command>`: runs the command with these settings, stops both, and ends with the command's exit code.
 *
 * The engines belong to a process of their own, which ends when its stdin is closed: by us, or by the kernel when we are
 * killed. libs/testing/src/lab says what the settings mean and where the engines come from.
 */

/** Neither engine can be had on this machine. */
export class LabMissing extends Error {}

/**
 * Starts both engines, or the one that can be had here.
 *
 * @returns {Promise<{ settings: Record<string, string>, missing: string[], stop: () => Promise<void> }>}
 * @throws LabMissing, or an Error when an engine that is there does not start (stderr says why)
 */
export async function startLab() {
  // The Kafka client sets timers in the past while it connects, which is harmless.
  const quiet = '--disable-warning=TimeoutNegativeWarning';
  const program = join(root, 'tools', 'dist', 'src', 'lab', 'main.js');
  const holder = spawn(pinnedNode(), [quiet, program], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C reaches every process of the terminal; this one ends after the command that uses it.
    detached: process.platform !== 'win32',
  });
  holder.stdin.on('error', () => undefined);
  const ended = once(holder, 'exit');
  const stop = async () => {
    holder.stdin.end();
    await ended;
  };
  const line = await firstLine(holder.stdout);
  if (line === undefined) {
    await ended;
    throw new Error('The lab did not start.');
  }
  const { settings, missing } = JSON.parse(line);
  if (!settings.KAFKA_BROKERS && !settings.S3_URL) {
    await stop();
    throw new LabMissing(missing.join(' '));
  }
  return { settings, missing, stop };
}

async function firstLine(stream) {
  for await (const line of createInterface({ input: stream })) return line;
  return undefined;
}

function describe(settings) {
  return [
    `Ready: ${settings.QUIRE_LAB}. Ctrl-C stops them.`,
    '',
    ...Object.entries(settings).map(([name, value]) => `export ${name}='${value}'`),
    '',
    '# What makes Quire use them:',
    'export EVENT_BUS=kafka OBJECT_STORE=s3',
    '',
  ].join('\n');
}

/** Resolves at Ctrl-C, SIGTERM or the end of the terminal. */
function interrupted() {
  return new Promise((settle) => {
    // A process with nothing but signal handlers would just end.
    const alive = setInterval(() => undefined, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.once(signal, () => {
        clearInterval(alive);
        settle();
      });
    }
  });
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async ([command, ...args]) => {
    const failed = await prepare();
    if (failed) return failed;
    const lab = await startLab();
    for (const reason of lab.missing) console.error(`Not there: ${reason}`);
    try {
      if (command !== undefined) return await run(command, args, { env: lab.settings });
      const stopped = interrupted();
      console.log(describe(lab.settings));
      await stopped;
      return 0;
    } finally {
      await lab.stop();
    }
  });
}
