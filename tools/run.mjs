import { main, pinnedNode, run, tool } from './process.mjs';
import { prepare } from './setup.mjs';

/*
 * node tools/run.mjs [--built] <command of a package, or path of a script> [arguments]
 *
 * Runs it on the pinned Node, after the packages are installed and, with --built, the sources compiled.
 */
await main(async (args) => {
  const build = args[0] === '--built';
  const [what, ...rest] = build ? args.slice(1) : args;
  if (!what) throw new Error('Usage: node tools/run.mjs [--built] <command or script> [arguments]');
  const failed = await prepare({ build });
  if (failed) return failed;
  return await run(pinnedNode(), [what.includes('/') ? what : tool(what), ...rest]);
});
