import { main, pinnedNode, run, tool } from './process.mjs';
import { compile, install } from './setup.mjs';
import { runTests, summary } from './test.mjs';

/*
 * `npm run check`: build, lint, format, tests. All of them, even when one fails; each of the first three counts as one
 * failure in the last line, which is `N passed, N failed` like that of the tests.
 *
 * --no-cache        lint everything, also what Nx remembers as clean
 * --minutes <n>     stop what runs after so many minutes and count it as failed
 */
await main(async (args) => {
  const minutes = args.includes('--minutes')
    ? Number(args[args.indexOf('--minutes') + 1])
    : undefined;
  const deadline = minutes === undefined ? undefined : performance.now() + minutes * 60_000;
  const left = () =>
    deadline === undefined ? {} : { timeoutMs: Math.max(1, deadline - performance.now()) };
  const cache = args.includes('--no-cache') ? ['--skip-nx-cache'] : [];
  const command = (name, ...rest) => run(pinnedNode(), [tool(name), ...rest], left());

  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failedSteps = [];
  const step = async (title, work) => {
    console.log(`\n== ${title}`);
    const startedAt = performance.now();
    const ok = await work().then(
      (code) => code === 0,
      (error) => {
        console.log(error.message);
        return false;
      },
    );
    if (!ok) failedSteps.push(title);
    console.log(
      `== ${title}: ${ok ? 'good' : 'FAILED'}, ${Math.round((performance.now() - startedAt) / 1000)} s`,
    );
    return ok;
  };

  if (await step('install', install)) {
    await step('build', compile);
    await step('lint', () =>
      command('nx', 'run-many', '-t', 'lint', '--output-style=static', ...cache),
    );
    await step('format', () => command('prettier', '--check', '.'));
    await step('tests', async () => {
      const { passed, failed, skipped } = await runTests([], left());
      Object.assign(counts, { passed, failed, skipped });
      return failed > 0 ? 1 : 0;
    });
  }
  if (failedSteps.length > 0) console.log(`\nFailed: ${failedSteps.join(', ')}`);
  counts.failed += failedSteps.filter((title) => title !== 'tests').length;
  if (failedSteps.includes('tests') && counts.failed === 0) counts.failed = 1;
  console.log(`\n${summary(counts)}`);
  return counts.failed > 0 ? 1 : 0;
});
