import { runFaults } from './faults.mjs';
import { LabMissing, startLab } from './lab.mjs';
import { main, pinnedNode, run, tool } from './process.mjs';
import { compile, install } from './setup.mjs';
import { runTests, summary } from './test.mjs';

/*
 * `npm run check`: build, lint, format, tests. All of them, even when one fails; each of the first three counts as one
 * failure in the last line, which is `N passed, N failed` like that of the tests. A fault run counts as a test.
 *
 * --no-cache        lint everything, also what Nx remembers as clean
 * --lab             with a real Kafka broker and a real S3 server, and with what looks at the manifests of a cluster; what
 *                   cannot be had here is said, and its tests are skipped
 * --faults <n>      with so many fault runs after the tests (tools/src/faults/main.ts); they need the whole lab
 * --minutes <n>     stop what runs after so many minutes and count it as failed
 */
await main(async (args) => {
  const numberOf = (option) =>
    args.includes(option) ? Number(args[args.indexOf(option) + 1]) : undefined;
  const minutes = numberOf('--minutes');
  const faultRuns = numberOf('--faults') ?? 0;
  const deadline = minutes === undefined ? undefined : performance.now() + minutes * 60_000;
  const left = () =>
    deadline === undefined ? {} : { timeoutMs: Math.max(1, deadline - performance.now()) };
  const cache = args.includes('--no-cache') ? ['--skip-nx-cache'] : [];
  const command = (name, ...rest) => run(pinnedNode(), [tool(name), ...rest], left());

  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failedSteps = [];
  const remarks = [];
  /** @param work resolves to an exit code, or to what it counted itself */
  const step = async (title, work) => {
    console.log(`\n== ${title}`);
    const startedAt = performance.now();
    const found = await work().then(
      (outcome) => (typeof outcome === 'number' ? { failed: outcome === 0 ? 0 : 1 } : outcome),
      (error) => {
        console.log(error.message);
        return { failed: 1 };
      },
    );
    for (const name of Object.keys(counts)) counts[name] += found[name] ?? 0;
    remarks.push(...(found.remarks ?? []));
    const ok = found.failed === 0;
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
    let lab;
    if (args.includes('--lab')) {
      await step('checkers', () =>
        run(pinnedNode(), ['tools/dist/src/kubernetes/fetch.js'], left()),
      );
      await step('lab', async () => {
        lab = await startLab().catch((error) => {
          if (error instanceof LabMissing) return { missing: [error.message] };
          throw error;
        });
        for (const reason of lab.missing) console.log(`Not there: ${reason}`);
        return 0;
      });
    }
    await step('tests', () => runTests([], { ...left(), env: lab?.settings }));
    await lab?.stop?.();
    if (faultRuns > 0) await step('faults', () => runFaults(faultRuns, lab?.settings, left()));
  }
  for (const remark of remarks) console.log(`\n${remark}`);
  if (failedSteps.length > 0) console.log(`\nFailed: ${failedSteps.join(', ')}`);
  console.log(`\n${summary(counts)}`);
  return counts.failed > 0 ? 1 : 0;
});
