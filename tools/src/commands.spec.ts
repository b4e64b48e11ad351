import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = ['tools/run.mjs', 'tools/fixtures/wait-for-signal.mjs'];

/** A command of package.json as npm runs it, and the lines of the program behind it. */
function start(program: string, args: readonly string[]) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done ? null : JSON.parse(value);
  };
  return { child, exit: once(child, 'exit'), nextLine };
}

describe('a command', () => {
  it('runs on the Node that package.json pins', async () => {
    const { devDependencies } = JSON.parse(await readFile(`${root}/package.json`, 'utf8')) as {
      devDependencies: { node: string };
    };
    const { child, exit, nextLine } = start(process.execPath, [...COMMAND, '0']);
    expect(await nextLine()).toMatchObject({ node: `v${devDependencies.node}` });
    child.kill('SIGTERM');
    await exit;
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'passes %s on once and ends with the exit code of its program',
    async (signal) => {
      const { child, exit, nextLine } = start(process.execPath, [...COMMAND, '5']);
      await nextLine();

      child.kill(signal);
      expect(await nextLine()).toEqual({ signal });
      child.kill(signal);
      expect(await nextLine()).toBeNull();
      expect(await exit).toEqual([5, null]);
    },
  );

  it('ends its program when the one who started it is killed', async () => {
    // The shell stands for npm; the second command keeps it from becoming node itself.
    const command = `"${process.execPath}" ${COMMAND.join(' ')} 0; true`;
    const { child, nextLine } = start('/bin/sh', ['-c', command]);
    await nextLine();

    child.kill('SIGKILL');

    expect(await nextLine()).toEqual({ signal: 'SIGTERM' });
    expect(await nextLine()).toBeNull();
  });
});
