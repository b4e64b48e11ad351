import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EVENTS } from '@quire/contracts/catalogue';
import { eventsPage } from './events-doc.js';

const FILE = fileURLToPath(new URL('../../docs/events.md', import.meta.url));
const HOW = 'Make it again: npx tsc -b && node tools/dist/src/events-doc.js > docs/events.md';

describe('docs/events.md', () => {
  it('is what the catalogue says', () => {
    const [page, wanted] = [readFileSync(FILE, 'utf8'), eventsPage()];
    expect({ page, how: HOW }).toEqual({ page: wanted, how: HOW });
  });

  it.each(EVENTS.map((event) => event.type))('tells of %s', (type) => {
    expect(readFileSync(FILE, 'utf8')).toContain(`\`${type}\``);
  });
});
