import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { GuardedProcess, runGuarded } from './guarded-process.js';

const onPosix = process.platform === 'win32' ? describe.skip : describe;

/** A program that connects to a port and keeps the connection for as long as it lives. */
const HOLD = `require('net').connect(Number(process.argv[1])).on('error', () => {})`;

/** A port, and the first connection to it. */
async function listen(): Promise<{ port: number; connection: Promise<Socket>; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = once(server, 'connection').then(([socket]) => {
    (socket as Socket).on('error', () => undefined).resume();
    return socket as Socket;
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, connection, close: () => server.close() };
}

/** Lets nothing of this process run, as a busy machine does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

onPosix('a guarded process', () => {
  it('ends when the one who started it is killed', async () => {
    const { port, connection, close } = await listen();
    const source = fileURLToPath(new URL('./guarded-process.ts', import.meta.url));
    const starter = `
      const { GuardedProcess } = await import(${JSON.stringify(source)});
      new GuardedProcess(process.execPath, ['-e', ${JSON.stringify(HOLD)}, '${port}'], { env: process.env });
      setInterval(() => {}, 1000);`;
    const args = ['--experimental-transform-types', '--no-warnings', '--input-type=module'];
    const parent = spawn(process.execPath, [...args, '-e', starter], { stdio: 'inherit' });
    const socket = await connection;

    const closed = once(socket, 'close');
    parent.kill('SIGKILL');

    await closed;
    close();
  });

  it('ends by a signal, and its guard with it', async () => {
    const { port, connection, close } = await listen();
    const child = new GuardedProcess(process.execPath, ['-e', HOLD, String(port)], {
      env: process.env,
    });
    const closed = once(await connection, 'close');
    await child.end('SIGKILL');
    expect(child.hasEnded).toBe(true);
    await closed;
    close();
  });

  it('tells its last words when it fails', async () => {
    const run = runGuarded('sh', ['-c', 'echo one; echo two >&2; exit 3'], { timeoutMs: 10_000 });
    await expect(run).rejects.toThrow(/^sh -c failed: (one \| two|two \| one)$/);
  });

  it('has told all it wrote when it has ended, also beside one that ends at the same time', async () => {
    const second = new GuardedProcess('sh', ['-c', 'sleep 0.3; echo second'], { env: process.env });
    const first = new GuardedProcess('echo', ['first'], {
      env: process.env,
      onLine: () => block(600), // the second one ends in here
    });
    block(150); // the first one ends in here, so that its end is seen at once with its line
    await Promise.all([first.ended, second.ended]);
    expect([first.lastWords, second.lastWords]).toEqual(['first', 'second']);
  });

  it('keeps a last line that does not end', async () => {
    expect(await runGuarded('printf', ['one\ntwo'], { timeoutMs: 10_000 })).toBe('one | two');
  });

  it('says so when its program is not there', async () => {
    const run = runGuarded('no-such-program', [], { timeoutMs: 10_000 });
    await expect(run).rejects.toThrow(/no-such-program {2}failed: .*not found/);
  });

  it('is killed when its time is up', async () => {
    const run = runGuarded('sleep', ['60'], { timeoutMs: 50 });
    await expect(run).rejects.toThrow('sleep 60 did not end within 0.05 s');
  });
});
