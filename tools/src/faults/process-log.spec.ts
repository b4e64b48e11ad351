import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessLog } from './process-log.js';

let folder: string;
let log: ProcessLog;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-process-log-'));
  log = new ProcessLog(join(folder, 'log'));
});

afterEach(async () => {
  await log.close();
  await rm(folder, { recursive: true });
});

function run(program: string): Promise<void> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', program], (_, stdout, stderr) => {
      for (const line of (stdout + stderr).split('\n')) if (line !== '') log.line('one', line);
      resolve();
    });
  });
}

describe('the log of processes', () => {
  it.each([
    ['a rejection that nobody handles', `Promise.reject(new Error('lost'))`],
    ['a rejection without an error', `Promise.reject(undefined)`],
    ['an exception that nobody catches', `setTimeout(() => { throw new Error('lost'); }, 1)`],
  ])('sees %s, once', async (_, program) => {
    await run(program);
    expect(log.faults().length).toBeGreaterThan(0);
    expect(log.faults()).toEqual([]);
  });

  it.each(['event given up', 'event refused'])('sees that a service says: %s', async (msg) => {
    await run(`console.log(JSON.stringify({ level: 50, msg: ${JSON.stringify(msg)} }))`);
    expect(log.faults()).toEqual([`one gave up an event: {"level":50,"msg":"${msg}"}`]);
  });

  it('takes a line of a log that speaks of an error for what it is', async () => {
    await run(`console.error(JSON.stringify({ level: 50, msg: 'unhandled: Error: lost' }))`);
    expect(log.faults()).toEqual([]);
  });

  it('keeps every line with the name of its process', async () => {
    await run(`console.log('said')`);
    await log.close();
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe('one said\n');
  });
});
