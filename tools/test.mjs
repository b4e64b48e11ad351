import { availableParallelism } from 'node:os';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { main, pinnedNode, root, run, tool } from './process.mjs';
import { compile, install } from './setup.mjs';

/*
 * `npm test`: set-up, then every spec of every project in one run of Jest. `npm test -- <Jest's arguments>` runs a part.
 * The last line is for scripts: `N passed, N failed`, and `, N skipped` where a tier's engine is not there.
 */

const resultsFile = join(root, '.test-results.json');
const backEndsFile = join(root, '.test-back-ends.jsonl');
/** More red files than this are no accident of a busy machine. */
const SECOND_LOOK_MAX = 5;
/** So much of what a red test said is told again at the end. */
const MESSAGE_LINES_MAX = 6;

/**
 * Of a whole run, a few files that are red are run once more, alone: what is green then is said to be unsteady, by name,
 * and counts as passed. An unsteady test is a bug to be mended, but it is not a bug of the change that met it.
 *
 * @returns {Promise<{ passed: number, failed: number, skipped: number, remarks: string[] }>} that tell
 *   of each test that is red or unsteady, for the end: nobody finds it in the middle
 */
export async function runTests(args, { timeoutMs = Infinity, env = {} } = {}) {
  const deadline = performance.now() + timeoutMs;
  rmSync(backEndsFile, { force: true });
  // Jest leaves one core free, which on two cores means one file at a time while the other core only serves Postgres.
  const workers = `--maxWorkers=${Math.max(2, availableParallelism() - 1)}`;
  const first = await jest([workers, ...args], { timeoutMs, env });
  const stopped = first.code === 124 ? ['The tests were stopped: they took too long.'] : [];
  if (!first.results) return { passed: 0, failed: 1, skipped: 0, remarks: stopped };
  const red = first.results.testResults.filter(({ status }) => status === 'failed');
  const again = args.length === 0 && red.length > 0 && red.length <= SECOND_LOOK_MAX;
  const run = again ? await secondLook(first, red, { deadline, env }) : first;
  const failures = run.results.testResults.flatMap(redIn);
  const unsteady = red
    .flatMap(redIn)
    .filter(({ title }) => !failures.some((failure) => failure.title === title));
  describeBackEnds(run.results, { ...process.env, ...env });
  // A file that does not even load has no failed test in it; an open handle or a failed tear-down neither.
  const failed = run.results.numFailedTests + run.results.numRuntimeErrorTestSuites;
  return {
    passed: run.results.numPassedTests,
    failed: failed === 0 && run.code !== 0 ? 1 : failed,
    skipped: run.results.numPendingTests + run.results.numTodoTests,
    remarks: [
      ...stopped,
      ...failures.map((one) => told('Red', one)),
      ...unsteady.map((one) => told('Unsteady, red beside others and green alone', one)),
    ],
  };
}

async function jest(args, { timeoutMs, env }) {
  rmSync(resultsFile, { force: true });
  const node = ['--experimental-vm-modules', '--no-warnings', '--expose-gc'];
  const config = ['--config', 'jest.config.js', '--rootDir', root];
  const results = ['--json', '--outputFile', resultsFile];
  const code = await run(pinnedNode(), [...node, tool('jest'), ...config, ...results, ...args], {
    ...(Number.isFinite(timeoutMs) ? { timeoutMs } : {}),
    env: { ...env, QUIRE_TEST_BACK_ENDS: backEndsFile },
  });
  if (!existsSync(resultsFile)) return { code };
  return { code, results: JSON.parse(readFileSync(resultsFile, 'utf8')) };
}

async function secondLook(first, red, { deadline, env }) {
  const files = red.map(({ name }) => name);
  console.log(`\nOnce more, alone: ${files.map((file) => relative(root, file)).join(', ')}\n`);
  const timeoutMs = Math.max(1, deadline - performance.now());
  const second = await jest(['--runInBand', '--runTestsByPath', ...files], { timeoutMs, env });
  if (!second.results) return first;
  const kept = first.results.testResults.filter((file) => !red.includes(file));
  return { code: second.code, results: merged(second.results, kept) };
}

/** What is red in a file. One that is red with no test in it did not load, or failed when all was done. */
function redIn(file) {
  if (file.status !== 'failed') return [];
  const where = relative(root, file.name);
  const tests = file.assertionResults.filter(({ status }) => status === 'failed');
  if (tests.length === 0) return [{ title: where, message: file.message }];
  return tests.map(({ fullName, failureMessages }) => ({
    title: `${where}: ${fullName}`,
    message: failureMessages.join('\n'),
  }));
}

function told(what, { title, message }) {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trim());
  const first = lines.filter((line) => line !== '').slice(0, MESSAGE_LINES_MAX);
  return [`${what}: ${title}`, ...first.map((line) => `    ${line}`)].join('\n');
}

/** @returns results of one run with those of other files, in which nothing is red */
function merged(results, kept) {
  const more = (...states) =>
    kept.flatMap((file) => file.assertionResults).filter(({ status }) => states.includes(status))
      .length;
  return {
    ...results,
    testResults: [...results.testResults, ...kept],
    numPassedTests: results.numPassedTests + more('passed'),
    numPendingTests: results.numPendingTests + more('pending', 'skipped', 'disabled'),
    numTodoTests: results.numTodoTests + more('todo'),
  };
}

function describeBackEnds(results, env) {
  const names = (env.QUIRE_LAB ?? '').split(',').map((name) => name.trim());
  const isKafka = (name) => /^kafka\b/i.test(name);
  const real = (address, name) => {
    if (names.join('') === '') return 'not run, QUIRE_LAB is not set';
    return address ? name : 'not run, not in the lab';
  };
  const s3 = names.find((name) => !isKafka(name));
  const line = (title, text) => console.log(`  ${title.padEnd(22)} ${text}`);
  console.log('\nBack ends');
  line(
    'PostgreSQL',
    `real, ${env.QUIRE_TEST_DATABASE_URL ? 'of QUIRE_TEST_DATABASE_URL' : 'embedded'}`,
  );
  for (const { world, events, files, count } of worlds())
    line(world, `${count} started: events ${events}, files ${files}`);
  line('the bus itself', `in process; Kafka: ${real(env.KAFKA_BROKERS, names.find(isKafka))}`);
  line('the store itself', `on disk; S3: ${real(env.S3_URL, s3)}`);
  line('all other specs', 'events in process, files on disk');
  for (const [where, count] of skippedByFile(results)) line('skipped', `${where}: ${count}`);
}

/** What the stories and the services on their own told of themselves (libs/testing/src/lab/back-ends.ts), counted. */
function worlds() {
  if (!existsSync(backEndsFile)) return [];
  const counts = new Map();
  for (const told of readFileSync(backEndsFile, 'utf8').split('\n').filter(Boolean).sort())
    counts.set(told, (counts.get(told) ?? 0) + 1);
  return [...counts].map(([told, count]) => ({ ...JSON.parse(told), count }));
}

function skippedByFile(results) {
  const counts = new Map();
  for (const file of results.testResults) {
    for (const { status, ancestorTitles } of file.assertionResults) {
      if (status !== 'pending' && status !== 'todo') continue;
      const where = `${relative(root, file.name)} (${ancestorTitles[0] ?? 'no group'})`;
      counts.set(where, (counts.get(where) ?? 0) + 1);
    }
  }
  return counts;
}

export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main(async (args) => {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    try {
      const ready = (await install()) === 0;
      // Specs that do not need the build are worth running when it is broken; the broken build counts as a failure.
      if (!ready || (await compile()) !== 0) counts.failed += 1;
      if (ready) {
        const { passed, failed, skipped, remarks } = await runTests(args);
        counts.passed += passed;
        counts.failed += failed;
        counts.skipped += skipped;
        for (const remark of remarks) console.log(`\n${remark}`);
      }
    } catch (error) {
      console.error(error.message);
      counts.failed += 1;
    }
    console.log(`\n${summary(counts)}`);
    return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
  });
}
