import {
  errorSentence,
  invalidTag,
  RECORD_ERROR_CODES,
  RECORD_WARNING_CODES,
  recordError,
  recordErrorText,
  WarningList,
  warningSentence,
} from './errors.js';

describe('the text of an error', () => {
  it('names code, plain words, record from 1 and byte in the file', () => {
    const error = recordError('TAG', 36, { tag: '9-9', detail: 'Invalid tag: 9-9' });
    expect(recordErrorText(error, 6, 1_000)).toBe(
      '{"errors":[{"name":"TAG","message":"Invalid tag: 9-9 (record 7, byte 1036)"}]}',
    );
  });

  it('shows the beginning of what stands in place of a tag, between characters', () => {
    const tag = `${'x'.repeat(19)}\u{1f4d6}${'y'.repeat(1000)}`;
    const shown = `${'x'.repeat(19)}\u{1f4d6}`;
    const error = { tag: shown, detail: `Invalid tag: ${shown}` };
    expect(invalidTag(tag, 7)).toEqual(recordError('TAG', 7, error));
  });

  it('has no byte where there is no file', () => {
    expect(recordErrorText(recordError('NO_FIELDS', 24), 0)).toBe(
      '{"errors":[{"name":"NO_FIELDS","message":"The record has no fields (record 1)"}]}',
    );
  });

  it('has a sentence for every code', () => {
    for (const code of RECORD_ERROR_CODES) {
      expect(errorSentence(recordError(code, 0, { tag: '245' }))).toMatch(/^[A-Z].+\(field 245\)$/);
    }
    for (const code of RECORD_WARNING_CODES) {
      expect(warningSentence({ code, offset: 0, count: 2 })).toMatch(/^[A-Z].+ \(2 times\)$/);
    }
    expect(warningSentence({ code: 'INDICATOR', offset: 0, count: 1, tag: '500' })).toMatch(
      /\(field 500\)$/,
    );
  });
});

describe('warnings', () => {
  it('of one code in one field share a line with its first place', () => {
    const warnings = new WarningList();
    warnings.add('CONTROL_CHAR', 50, { tag: '500', field: 40 });
    warnings.add('NO_SUBFIELD', 51, { tag: '500', field: 40 });
    warnings.add('CONTROL_CHAR', 52, { tag: '500', field: 40 });
    warnings.add('CONTROL_CHAR', 90, { tag: '500', field: 80 });
    expect(warnings.list).toEqual([
      { code: 'CONTROL_CHAR', offset: 50, tag: '500', count: 2 },
      { code: 'NO_SUBFIELD', offset: 51, tag: '500', count: 1 },
      { code: 'CONTROL_CHAR', offset: 90, tag: '500', count: 1 },
    ]);
  });

  it('are at most a hundred lines and a line per further code, and lose no count', () => {
    const warnings = new WarningList();
    for (let i = 0; i < 1_000; i++) warnings.add('CONTROL_CHAR', i, { field: i });
    warnings.add('OVERSIZE_LEADER', 0);
    expect(warnings.list).toHaveLength(101);
    const chars = warnings.list.filter(({ code }) => code === 'CONTROL_CHAR');
    expect(chars.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
  });
});
