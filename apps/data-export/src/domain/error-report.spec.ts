import { REPORT_HEADER, reportLine, type ReportedLine } from './error-report.js';
import { textOf } from './error-texts.js';

const ID = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
const nothing: ReportedLine = {
  line: 7,
  class: 'NOT_FOUND',
  input: null,
  id: ID,
  occurrences: null,
  code: null,
  message: null,
  hrid: null,
  title: null,
};
const line = (change: Partial<ReportedLine>, host: string | null = null): string =>
  reportLine({ ...nothing, ...change }, 'instance', host);

describe('the report by line', () => {
  it('has these columns', () => {
    expect(REPORT_HEADER).toBe('line,input,id,idType,class,code,message,hrid,title,link\n');
  });

  it.each<[Partial<ReportedLine>, string]>([
    [
      {},
      `7,${ID},${ID},instance,NOT_FOUND,error.uuidsNotFound,UUIDs not found in SRS or inventory: ${ID},,,\n`,
    ],
    [
      { class: 'INVALID', input: 'x,"y"', id: null },
      '7,"x,""y""",,instance,INVALID,error.invalidUuidFormat,"Invalid UUID format: x,""y""",,,\n',
    ],
    [
      { class: 'DUPLICATED', occurrences: 3 },
      `7,${ID},${ID},instance,DUPLICATED,error.duplicatedIds,UUID ${ID} repeated 3 times.,,,\n`,
    ],
    [
      {
        class: 'FAULTY',
        code: 'error.messagePlaceholder',
        message: 'Too long',
        hrid: 'h1',
        title: 'T',
      },
      `7,${ID},${ID},instance,FAULTY,error.messagePlaceholder,Too long,h1,T,\n`,
    ],
  ])('writes %j', (change, text) => {
    expect(line(change)).toBe(text);
  });

  it.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])('disarms the formula %j', (title) => {
    const text = line({ title }).split(`: ${ID},,`)[1] ?? '';
    expect(text.replaceAll('"', '')).toBe(`'${title},\n`);
  });

  it('keeps other cells as they are, and those with line ends whole', () => {
    expect(line({ title: 'a=b' })).toContain(',a=b,');
    expect(line({ title: 'a\nb' })).toContain(',"a\nb",');
  });

  it('links to instances of a tenant that has said where they are', () => {
    expect(line({}, 'https://folio.example/')).toMatch(
      new RegExp(`,https://folio\\.example/inventory/view/${ID}\n$`),
    );
    expect(reportLine(nothing, 'holding', 'https://folio.example')).toMatch(/,,,\n$/);
  });
});

it('puts values into texts in order, and shows those of unknown codes', () => {
  expect(textOf('error.duplicateSRS', ['a', '%s'])).toBe(
    'a has following SRS records associated: %s',
  );
  expect(textOf('error.other', ['a', 'b'])).toBe('a, b');
});
