import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startPostgres, tellsOfTrouble } from '../src/postgres.js';

let folder: string;
let dataDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-embedded-'));
  dataDir = join(folder, 'postgres');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Below the ports that systems give to outgoing connections: when it is let go, nobody else has it. */
async function takenPort(): Promise<{ readonly taken: Server; readonly port: number }> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const taken = createServer((socket) => void socket.destroy()).listen(port, '127.0.0.1');
    try {
      await once(taken, 'listening');
      return { taken, port };
    } catch {
      // Somebody listens there.
    }
  }
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** A dead process that nobody waited for (a container without an init leaves some) still has its id, but no command line. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return (
    process.platform !== 'linux' ||
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== ''
  );
}

/** A process of its own that starts the server and says so; it is there to be killed. */
async function startInChild(): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('start-and-wait.mjs', import.meta.url)), dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface(child.stdout)) if (line === 'started') return child;
  throw new Error('The child ended before it had started the server.');
}

describe('the embedded PostgreSQL', () => {
  it('is a UTF-8 database on loopback that lets in nobody without the password', async () => {
    await using postgres = await startPostgres({ dataDir });
    expect(new URL(postgres.url).hostname).toBe('127.0.0.1');
    expect(
      await ask(
        postgres.url,
        `select lower('ЖУРНАЛ') as word, current_setting('synchronous_commit') as commits`,
      ),
    ).toEqual([{ word: 'журнал', commits: 'on' }]);

    const url = new URL(postgres.url);
    url.password = 'guessed';
    await expect(ask(url.href, 'select 1')).rejects.toThrow('password authentication failed');
    if (process.platform !== 'win32')
      expect((await stat(`${dataDir}.password`)).mode & 0o777).toBe(0o600);
  });

  it('keeps its data over a stop and a start, and a stop leaves no process', async () => {
    const first = await startPostgres({ dataDir });
    await ask(first.url, 'create table kept as select 7 as id');
    const pid = await serverPid();
    await first.stop();
    expect(await isAlive(pid)).toBe(false);

    await using second = await startPostgres({ dataDir });
    expect(await ask(second.url, 'select id from kept')).toEqual([{ id: 7 }]);
  });

  it('tells of trouble where a statement fails, not where a constraint refuses a row', async () => {
    const lines: string[] = [];
    await using postgres = await startPostgres({ dataDir, log: (line) => lines.push(line) });
    await ask(
      postgres.url,
      `create table shelf (id int primary key check (id > 0)); insert into shelf values (1);
       create table book (shelf int not null references shelf)`,
    );
    for (const refused of [
      'insert into shelf values (1)',
      'insert into shelf values (0)',
      'insert into book values (2)',
      'insert into book values (null)',
    ])
      await expect(ask(postgres.url, refused)).rejects.toThrow('violates');
    await expect(ask(postgres.url, 'select title from book')).rejects.toThrow('does not exist');
    await postgres.stop();

    expect(lines.filter((line) => line.includes('violates'))).toHaveLength(4);
    expect(lines.filter(tellsOfTrouble)).toEqual([
      expect.stringContaining('42703 ERROR:  column "title" does not exist'),
    ]);
  });

  it('stops while clients are connected', async () => {
    const postgres = await startPostgres({ dataDir });
    const client = new Client({ connectionString: postgres.url });
    const lost = new Promise((done) => client.on('error', done));
    await client.connect();

    await Promise.all([postgres.stop(), postgres.stop(), postgres.exited, lost]);
  });

  it('comes back with its data after its owner was killed', async () => {
    const owner = await startInChild();
    const orphan = await serverPid();
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(await isAlive(orphan)).toBe(true);

    const lines: string[] = [];
    await using postgres = await startPostgres({ dataDir, log: (line) => lines.push(line) });
    expect(await isAlive(orphan)).toBe(false);
    expect(lines).toContain('stopped the PostgreSQL that a killed process had left behind');
    expect(await ask(postgres.url, 'select id from kept')).toEqual([{ id: 7 }]);
  });

  it('works in a folder that only its owner may enter, also as root', async () => {
    await mkdir(join(folder, 'closed'), { mode: 0o700 });
    dataDir = join(folder, 'closed', 'data', 'postgres');
    const owner = await startInChild();
    const orphan = await serverPid();
    owner.kill('SIGKILL');
    await once(owner, 'exit');

    await using postgres = await startPostgres({ dataDir });

    expect(await isAlive(orphan)).toBe(false);
    expect(await ask(postgres.url, 'select id from kept')).toEqual([{ id: 7 }]);
  });

  it('does not end a process that only has the id of a server long gone', async () => {
    await (await startPostgres({ dataDir })).stop();
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      stdio: 'ignore',
    });
    await once(bystander, 'spawn');
    try {
      await writeFile(join(dataDir, 'postmaster.pid'), `${bystander.pid}\n${dataDir}\n`);
      await using postgres = await startPostgres({ dataDir });
      expect(await ask(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      expect(bystander.exitCode).toBeNull();
      expect(bystander.signalCode).toBeNull();
    } finally {
      bystander.kill('SIGKILL');
    }
  });

  it('says so when the folder is in use, and leaves the first server alone', async () => {
    await using first = await startPostgres({ dataDir });
    await expect(startPostgres({ dataDir })).rejects.toThrow(
      `The database in ${dataDir} is in use by another process`,
    );
    expect(await ask(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('says so when the port is taken, and lets go of the folder', async () => {
    const { taken, port } = await takenPort();
    try {
      await expect(startPostgres({ dataDir, port })).rejects.toThrow(`Port ${port} is taken`);
    } finally {
      taken.close();
      await once(taken, 'close');
    }
    await using postgres = await startPostgres({ dataDir, port });
    expect(postgres.port).toBe(port);
  });

  it('makes its folder again when the first making was cut short', async () => {
    await mkdir(`${dataDir}.new/base`, { recursive: true });
    await writeFile(`${dataDir}.new/PG_VERSION`, '18\n');
    await writeFile(`${dataDir}.password`, 'of the first try');
    await using postgres = await startPostgres({ dataDir });
    expect(await ask(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('refuses a folder of another PostgreSQL and a folder without its password', async () => {
    await (await startPostgres({ dataDir })).stop();
    await rm(`${dataDir}.password`);
    await expect(startPostgres({ dataDir })).rejects.toThrow('postgres.password is missing');
    await writeFile(join(dataDir, 'PG_VERSION'), '15\n');
    await expect(startPostgres({ dataDir })).rejects.toThrow('was written by PostgreSQL 15');
  });

  it('names the setting that the server does not take', async () => {
    await expect(
      startPostgres({ dataDir, settings: { shared_buffers: 'plenty' } }),
    ).rejects.toThrow('shared_buffers');
  });
});
