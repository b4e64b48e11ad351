import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedNode, root, run } from './process.mjs';

/*
 * The fault runs of `npm run check`, on engines of their own (tools/src/faults/main.ts): the same seeds each time, so that a
 * failure is of the change and not of the draw. Some 20 s each on two quiet cores.
 */

const FIRST_SEED = 1;
/** No run begins later. */
const MINUTES = 20;
/** One that hangs takes 240 s to be given up, and 90 s more to see what it left. */
const KILL_AFTER_MS = (MINUTES + 8) * 60_000;

const resultsFile = join(root, '.fault-results.json');

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} in runs */
export async function runFaults(runs, lab = {}, { timeoutMs = Infinity } = {}) {
  if (!lab.KAFKA_BROKERS || !lab.S3_URL) {
    console.log(`Skipped: ${runs} fault runs need a real broker and a real store.`);
    return { passed: 0, failed: 0, skipped: runs };
  }
  rmSync(resultsFile, { force: true });
  const options = { seed: FIRST_SEED, runs, replicas: 2, minutes: MINUTES, results: resultsFile };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  // The Kafka client sets timers in the past while it connects, which is harmless.
  const program = ['--disable-warning=TimeoutNegativeWarning', 'tools/dist/src/faults/main.js'];
  const code = await run(pinnedNode(), [...program, ...args], {
    timeoutMs: Math.min(timeoutMs, KILL_AFTER_MS),
    env: lab,
  });
  if (code === 124) console.log('The fault runs were stopped: they took too long.');
  const none = { passed: 0, failed: 0, skipped: runs };
  const counts = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : none;
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
