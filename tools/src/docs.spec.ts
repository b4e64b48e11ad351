import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  errorSentence,
  RECORD_ERROR_CODES,
  RECORD_WARNING_CODES,
  warningSentence,
} from '@quire/marc/errors';

const page = readFileSync(
  fileURLToPath(new URL('../../docs/importing.md', import.meta.url)),
  'utf8',
);

describe('docs/importing.md', () => {
  it.each(RECORD_ERROR_CODES)('explains the error %s in the words that a log has', (code) => {
    expect(page).toContain(`| \`${code}\` | ${errorSentence({ failed: true, code, offset: 0 })} |`);
  });

  it.each(RECORD_WARNING_CODES)('explains the warning %s in the words of the codec', (code) => {
    expect(page).toContain(`| \`${code}\` | ${warningSentence({ code, offset: 0, count: 1 })} |`);
  });
});
