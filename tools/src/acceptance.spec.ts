import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));

const PAGES = ['docs/acceptance.md', 'docs/acceptance-finance.md', 'docs/faults.md'];

const linesOf = (page: string): [string, string, string][] =>
  readFileSync(pathOf(page), 'utf8')
    .split('\n')
    .map((line) => /^\| (.+) \| `([^`]+\.(?:spec|contract)\.ts)` \| (.+) \|$/.exec(line))
    .flatMap((found) => (found ? [found.slice(1) as [string, string, string]] : []));

/** A table that nobody can read would have no lines, and no line that is wrong. */
const LINES_MIN = 50;

describe.each(PAGES)('%s', (page) => {
  const lines = linesOf(page);

  it('has a line for everything that was promised', () => {
    expect(lines.length).toBeGreaterThan(LINES_MIN);
  });

  it.each(lines)('names a test that there is: %s', (_, file, title) => {
    expect(existsSync(pathOf(file))).toBe(true);
    // A title between apostrophes has its own escaped.
    expect(readFileSync(pathOf(file), 'utf8').replaceAll("\\'", "'")).toContain(title);
  });
});
