import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from './server.js';

const onPosix = process.platform === 'win32' ? describe.skip : describe;

/** What PostgreSQL says when somebody else has its port, by a program that says it after 0.3 s. */
const PORT_TAKEN = `#!/bin/sh
sleep 0.3
echo 'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use' >&2
exit 1
`;
const NOBODY = 'postgres://postgres:secret@127.0.0.1:1/postgres';

/** Lets nothing of this process run, as a busy machine does. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

onPosix('a database server that does not start', () => {
  it('has said why when its end is seen, also where another program ends at the same time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quire-server-'));
    const program = join(folder, 'postgres');
    await writeFile(program, PORT_TAKEN, { mode: 0o755 });
    const server = await Server.launch({
      program,
      dataDir: folder,
      port: 1,
      settings: {},
      user: null,
      log: () => undefined,
    });
    const other = spawn('echo', ['other']);
    const otherEnded = once(other, 'close');
    other.stdout.once('data', () => block(600)); // the server ends in here
    block(150); // the other program ends in here, so that its end is seen at once with its line
    expect(await server.isReady(NOBODY)).toBe(false);
    expect(server.portTaken).toBe(true);
    await otherEnded;
    await rm(folder, { recursive: true });
  });
});
