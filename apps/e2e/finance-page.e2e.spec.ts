import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PASSWORD, World } from './src/world.js';

/** `docs/finance.md`: its commands in bash, as they are printed, one after the other in one shell. */
const PAGE = fileURLToPath(new URL('../../docs/finance.md', import.meta.url));
const NEXT = '--- next command of the page ---';

interface Block {
  readonly command: string;
  /** What the page prints below it. */
  readonly answer: string;
}

function blocksOf(page: string): readonly Block[] {
  const found = page.matchAll(/^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms);
  return [...found].map(([, command = '', answer = '']) => ({ command, answer }));
}

/** Standard output of each block. */
function run(blocks: readonly Block[], url: string): Promise<readonly string[]> {
  const script = [
    'set -euo pipefail',
    ...blocks.map(({ command }) => `${command}\necho '${NEXT}'`),
  ];
  return new Promise((resolve, reject) => {
    const env = { ...process.env, QUIRE_URL: url, QUIRE_PASSWORD: PASSWORD };
    execFile('bash', ['-c', script.join('\n')], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`The commands failed: ${stderr}`, { cause: error }));
      else resolve(stdout.split(`${NEXT}\n`).slice(0, -1));
    });
  });
}

/** Without empty lines: an answer without a body is one. `…` matches anything. */
const lines = (text: string): string => text.replace(/\n+/g, '\n').trim();
const pattern = (answer: string): RegExp =>
  new RegExp(
    `^${lines(answer)
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*')}$`,
  );

const blocks = blocksOf(readFileSync(PAGE, 'utf8'));

describe('docs/finance.md', () => {
  let answers: readonly string[];

  beforeAll(async () => {
    await using world = await World.open();
    answers = await run(blocks, world.url);
  });

  it('has commands, and an answer to each but the log-in', () => {
    expect(blocks.length).toBeGreaterThan(10);
    expect(blocks.slice(1).filter(({ answer }) => answer === '')).toEqual([]);
    expect(answers).toHaveLength(blocks.length);
  });

  it.each(
    blocks.map(({ command, answer }, index) => [command.split('\n')[0], answer, index] as const),
  )('answers what is printed below: %s', (_, answer, index) => {
    expect(lines(answers[index] ?? '')).toMatch(pattern(answer));
  });
});
