import { labSettings } from '@quire/testing/lab/config';
import { openLab } from '@quire/testing/lab/open-lab';

/*
 * The process that holds the lab, for `tools/lab.mjs`. Progress goes to stderr; one line of JSON on stdout says that the
 * engines answer, which settings point to them and what is missing. It ends, and the engines with it, when its stdin is
 * closed, so it cannot outlive the one who started it.
 */
let open: Awaited<ReturnType<typeof openLab>> | undefined;
const noLongerWanted = new Promise<void>((resolve) => {
  process.stdin.resume().once('close', resolve).once('end', resolve);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
});
try {
  const opening = openLab((line) => process.stderr.write(`${line}\n`));
  const first = await Promise.race([opening, noLongerWanted]);
  // What is being fetched has no use any more, and is ended by our end.
  if (!first) process.kill(process.pid, 'SIGKILL');
  open = await opening;
  const { lab, missing } = open;
  process.stdout.write(`${JSON.stringify({ settings: labSettings(lab), missing })}\n`);
  await noLongerWanted;
} finally {
  await open?.[Symbol.asyncDispose]();
  process.stdin.destroy();
}
