import { gzipSync, zstdCompressSync } from 'node:zlib';
import { marcRecord } from '@quire/testing/marc';
import { imported, type Imported } from './src/imports.js';
import { frame, frameOf, inserted, patched, sound } from './src/marc-bytes.js';
import { instanceIds, runExport, type ImportStart } from './src/steps.js';
import { World, type Person } from './src/world.js';

/*
 * Reliability, section 19, row by row: what a cataloguer may hand us, and what becomes of it. HTTP succeeds; the outcome is
 * in the job.
 */
const EMPTY = 'File is empty or content is invalid!';
const NAMESPACE = 'http://www.loc.gov/MARC21/slim';
const good = sound('good');
const join = (...parts: (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));
const xmlRecord = (hrid: string, more = ''): string =>
  `<record><leader>00000nam a2200000 i 4500</leader><controlfield tag="001">${hrid}</controlfield>` +
  `<datafield tag="245" ind1="1" ind2="0"><subfield code="a">Title</subfield></datafield>${more}</record>`;
const collection = (inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><collection xmlns="${NAMESPACE}">${inside}</collection>`;
const jsonRecord = (hrid: string): string =>
  JSON.stringify({
    leader: '00000nam a2200000 i 4500',
    fields: [{ '001': hrid }, { 245: { ind1: '1', ind2: '0', subfields: [{ a: 'Title' }] } }],
  });

describe('MARC as it is found in the wild', () => {
  let world: World;
  let person: Person;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const load = (file: Buffer | string, start?: ImportStart): Promise<Imported> =>
    imported(person, Buffer.from(file), start);
  /** No record of it can be imported: the job says why. */
  const refuses = async (
    file: Buffer | string,
    text: string,
    start?: ImportStart,
  ): Promise<void> => {
    const job = await load(file, start);
    expect(job).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      result: 'FAILED',
      created: 0,
    });
    expect(job.messages).toContain(text);
  };
  /** The records come through, repaired, and the warnings say so. */
  const repairs = async (frames: readonly Buffer[], warnings: object): Promise<void> => {
    const job = await load(join(...frames));
    expect(job).toMatchObject({ status: 'COMMITTED', created: frames.length, failed: 0 });
    expect(job.warnings).toEqual(warnings);
  };
  /** Each costs itself and stops nothing: the good record before and the one behind are stored. */
  const costsItself = async (bad: readonly Buffer[], codes: readonly string[]): Promise<void> => {
    const job = await load(join(good, ...bad, good));
    expect(job).toMatchObject({ status: 'ERROR', result: 'PARTIAL', created: 2 });
    expect(job.errors).toEqual(codes);
  };

  it.each([
    ['an empty file', ''],
    ['only 0x1D', '\x1d\x1d'],
    ['only CR, LF and 0x1A', '\r\n\r\n\x1a'],
  ])('M1: %s holds no record', (_, file) => refuses(file, EMPTY));

  it.each([
    ['18 bytes of text', 'this is not a file'],
    [
      'a picture',
      join(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(5000, 7)),
    ],
    ['a PDF', '%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj'],
    ['8 MiB without 0x1D', Buffer.alloc(8_388_608, 'x')],
  ])('M2: %s holds no record', (_, file) => refuses(file, EMPTY));

  it('M2: what starts with five digits and has no end is one record that is too large', async () => {
    const job = await load(join(good, `12345${'x'.repeat(3_000_000)}`));
    expect(job).toMatchObject({ result: 'PARTIAL', created: 1, errors: ['TOO_LARGE'] });
  });

  it('M3: a last record cut off costs itself', async () => {
    const job = await load(join(good, good, sound('cut').subarray(0, -9)));
    expect(job).toMatchObject({ result: 'PARTIAL', created: 2, errors: ['TRUNCATED'] });
  });

  it('M4: the end mark wins over a wrong record length', () =>
    repairs(
      ['00030', '00400', '0a_b0', '00000', '99999'].map((length) => patched(good, 0, length)),
      { LENGTH_MISMATCH: 5 },
    ));

  it('M5: a wrong base address is found again from the first field terminator', () =>
    repairs(
      ['00025', 'x0y0z', '99999'].map((base) => patched(good, 12, base)),
      { BASE_REBUILT: 3 },
    ));

  it('M5: without a place where the directory could end there is none', () =>
    costsItself([Buffer.from('00040nam a22xxxxx i 4500 no directory\x1d')], ['BASE_ADDRESS']));

  it('M6: a directory with as many entries as there are fields is taken from the fields', () =>
    repairs([patched(good, 27, 'abcd'), patched(good, 31, '99999'), patched(good, 39, '9999')], {
      DIRECTORY_REBUILT: 3,
    }));

  it('M6: an unordered directory is fine', () => {
    const entries = good.toString('latin1', 24, 48);
    return repairs([patched(good, 24, entries.slice(12) + entries.slice(0, 12))], {});
  });

  it('M6: otherwise the directory costs the record', () =>
    costsItself(
      [
        frame('00000nam a2200000 i 4500', '245000a00000700000a00000', '10\x1fax\x1e'),
        frame('00000nam a2200000 i 4500', '2450006000', '10\x1fax\x1e'),
      ],
      ['DIRECTORY', 'DIRECTORY'],
    ));

  it('M7: an entry map with sane widths is used, blanks are read as 4500', () =>
    repairs(
      [
        frame('00000nam a2200000 i 5500', '2450000600000', '10\x1fax\x1e'),
        patched(good, 20, '    '),
      ],
      { ENTRY_MAP: 2 },
    ));

  it('M7: another entry map costs the record', () =>
    costsItself([patched(good, 20, 'abcd')], ['DIRECTORY']));

  it('M8: a field without its end mark costs the record', () =>
    costsItself(
      [frame('00000nam a2200000 i 4500', '245000700000', '10\x1faxyz')],
      ['FIELD_TERMINATOR'],
    ));

  it('M8: 0x1D inside data is data where the declared length ends at another one', async () => {
    const odd = frameOf([['245', '10\x1faone\x1dtwo']]);
    const job = await load(join(odd, good));
    expect(job).toMatchObject({ status: 'COMMITTED', created: 2 });
  });

  it('M8: 0x1F in a control field is kept', () =>
    repairs([frameOf([['001', 'a\x1fbc']])], { CONTROL_SUBFIELD: 1 }));

  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
  const mostlyGood = utf8('é'.repeat(40));

  it('M9: a few bytes that are not UTF-8 become U+FFFD', () =>
    repairs([frameOf([['245', `10\x1fa${mostlyGood}\xff`]])], { ENCODING: 1 }));

  it('M9: many of them are another character set, guessed', () =>
    repairs([frameOf([['245', '10\x1faM\xe8\xf4re \xe0 l\xe9\xe8ve \xf1 \xe7a \xfc \xe4 \xf6']])], {
      ENCODING_GUESSED: 1,
    }));

  it('M9: with the option strict both are errors', async () => {
    const few = frameOf([['245', `10\x1fa${mostlyGood}\xff`]]);
    const job = await load(join(good, few), { options: 'strict=true' });
    expect(job).toMatchObject({ result: 'PARTIAL', created: 1, errors: ['ENCODING'] });
  });

  const MARC8 = '00000nam  2200000 i 4500';

  it('M10: MARC-8 becomes UTF-8 in NFC', async () => {
    const fields = [
      ['245', '10\x1faCaf\xe2e \x1b(NmIR\x1b(B \x1b$1!0V\x1b(B \x1bbn2\x1bs'],
      ['500', '  \x1fa\xebt\xecs \xa5'],
    ] as const;
    const job = await load(frameOf(fields, MARC8));
    expect(job).toMatchObject({ status: 'COMMITTED', created: 1, warnings: {} });
    const [record] = (
      await person.get<{ sourceRecords: { parsedRecord: { content: object } }[] }>(
        `/source-storage/source-records?snapshotId=${job.id}`,
      )
    ).sourceRecords;
    const text = JSON.stringify(record?.parsedRecord.content);
    expect(text).toBe(text.normalize('NFC'));
    expect(text).toContain('Café Мир');
    expect(text).toContain('t\u0361s');
  });

  it('M10: what MARC-8 does not know becomes U+FFFD with a warning', () =>
    repairs(
      ['10\x1faA\xff', '10\x1faA\x1b', '10\x1faA\x1b(ZB'].map((body) =>
        frameOf([['245', body]], MARC8),
      ),
      { MARC8_UNKNOWN: 3 },
    ));

  it('M11: a blank flag before valid UTF-8 is read as UTF-8', () =>
    repairs([frameOf([['245', `10\x1fa${utf8('Мышь')}`]], MARC8)], { FLAG_MISSING: 1 }));

  it('M12: a record over 99,999 bytes is stored, and a binary export explains why it is not in it', async () => {
    const long = Array.from(
      { length: 60 },
      (_, at) => ['500', `  \x1fa${at}${'x'.repeat(2000)}`] as const,
    );
    const job = await load(join(frameOf(long), good));
    expect(job).toMatchObject({
      status: 'COMMITTED',
      created: 2,
      warnings: { OVERSIZE_LEADER: 1 },
    });
    const ids = await instanceIds(person, job.id);
    const exported = await runExport(person, ids.join('\n'));
    expect(exported).toMatchObject({
      status: 'COMPLETED_WITH_ERRORS',
      progress: { exported: 1, failed: 1, total: 2 },
    });
    const logs = await person.get<{ errorLogs: { errorMessageValues?: string[] }[] }>(
      `/data-export/logs?query=jobExecutionId==${exported.id}`,
    );
    expect(JSON.stringify(logs)).toContain('Record is too long to be a valid MARC binary record');
  });

  it('M12: a record over 1 MiB is skipped', () =>
    costsItself([join('99999', 'x'.repeat(1_100_000), '\x1d')], ['TOO_LARGE']));

  it('M13: no fields, and a bad tag, cost the record', () =>
    costsItself([frameOf([]), frameOf([['2 5', '10\x1fax']])], ['NO_FIELDS', 'TAG']));

  it('M13: no 001, two of them and no 245 are stored; odd indicators are mended', () =>
    repairs(
      [
        frameOf([['245', '10\x1fax']]),
        frameOf([
          ['001', 'a'],
          ['001', 'b'],
        ]),
        frameOf([['245', '1\x1fax']]),
        frameOf([['245', '123\x1fax']]),
      ],
      { INDICATOR: 2 },
    ));

  it('M14: ten thousand fields, ten thousand subfields and a field of 9,999 bytes are fine', async () => {
    const manyFields = Array.from({ length: 4000 }, () => ['500', '  \x1fax'] as const);
    const manySubfields = [['500', `  ${'\x1fax'.repeat(3000)}`]] as const;
    const longest = [['500', `  \x1fa${'x'.repeat(9994)}`]] as const;
    const job = await load(join(frameOf(manyFields), frameOf(manySubfields), frameOf(longest)));
    expect(job).toMatchObject({ status: 'COMMITTED', created: 3, warnings: {} });
    const over = frameOf(Array.from({ length: 10_000 }, () => ['500', '  \x1fax'] as const));
    const subfields = frameOf([['500', `  ${'\x1fax'.repeat(10_000)}`]]);
    const large = await load(join(over, subfields));
    expect(large).toMatchObject({ created: 2, failed: 0 });
  });

  it('M15: the same record twice is two records', async () => {
    expect(await load(join(good, good))).toMatchObject({ status: 'COMMITTED', created: 2 });
  });

  it('M15: two with one matched id: the second is a duplicate', async () => {
    const named = marcRecord({
      fields: [
        ['245', '10', { a: 'Named' }],
        ['999', 'ff', { s: '0d3bb5e5-3b4a-4d1f-a6c6-0d1c7d3f2f10' }],
      ],
    });
    const job = await load(join(named, named), { options: 'on999ff=accept' });
    expect(job).toMatchObject({ result: 'PARTIAL', created: 1, failed: 1 });
    expect(job.errors.join()).toContain('duplicates');
  });

  it.each([
    ['gzip', gzipSync(good)],
    ['zstd', zstdCompressSync(good)],
    ['zip', join('PK\x03\x04', good)],
    ['bzip2', join('BZh91AY&SY', good)],
    ['xz', join(Buffer.from('fd377a585a00', 'hex'), good)],
    ['7z', join(Buffer.from('377abcaf271c', 'hex'), good)],
    ['tar', inserted(Buffer.alloc(507), 257, 'ustar')],
  ])('M16: %s is refused and not inflated', (_, file) =>
    refuses(file, 'Compressed files are not supported'),
  );

  it('M17: line ends between records are no matter, other bytes are a warning', async () => {
    const lines = await load(join(good, '\r\n', good, '\n'));
    expect(lines).toMatchObject({ status: 'COMMITTED', created: 2, warnings: {} });
    const noise = await load(join('\ufeff', good, '  \0', good, '\x1a'));
    expect(noise).toMatchObject({
      status: 'COMMITTED',
      created: 2,
      warnings: { BYTES_SKIPPED: 2 },
    });
  });

  it.each([
    ['an external entity', '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
    ['an external DTD', '<!DOCTYPE c SYSTEM "http://127.0.0.1:9/x.dtd">'],
    ['a parameter entity', '<!DOCTYPE c [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'],
    ['an entity bomb', '<!DOCTYPE c [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'],
  ])('M18: a DOCTYPE with %s is refused', async (_, doctype) => {
    const xml = `<?xml version="1.0"?>${doctype}<collection xmlns="${NAMESPACE}">${xmlRecord('a')}</collection>`;
    const job = await load(xml);
    expect(job).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      created: 0,
    });
    expect(job.messages.join()).toMatch(/DOCTYPE/);
  });

  it('M18: a DOCTYPE behind a record ends the reading, and the record stays', async () => {
    const job = await load(collection(`${xmlRecord('a')}<!DOCTYPE x []>${xmlRecord('b')}`));
    expect(job).toMatchObject({ result: 'PARTIAL', created: 1, errors: ['DOCTYPE_FORBIDDEN'] });
  });

  it.each([
    ['depth over 32', '<x>'.repeat(40)],
    ['an element not closed', '<record><leader>'],
    ['a bad character', `<record>\x01</record>`],
  ])('M19: with %s the records before it are stored', async (_, fault) => {
    const job = await load(collection(`${xmlRecord('a')}${xmlRecord('b')}${fault}`));
    expect(job).toMatchObject({ result: 'PARTIAL', created: 2, errors: ['XML_SYNTAX'] });
  });

  it('M19: a flood of attributes ends the reading like any fault', async () => {
    const attributes = Array.from({ length: 20_000 }, (_, at) => ` a${at}="x"`).join('');
    const odd = `<record${attributes}></record>`;
    const job = await load(collection(`${xmlRecord('a')}${odd}${xmlRecord('b')}`));
    expect(job).toMatchObject({ result: 'PARTIAL', created: 1, errors: ['XML_SYNTAX'] });
  });

  it('M19: a text too long for a record costs that record', async () => {
    const long = `<record><leader>${'x'.repeat(1_200_000)}</leader></record>`;
    const job = await load(collection(`${xmlRecord('a')}${long}${xmlRecord('b')}`));
    expect(job).toMatchObject({ result: 'PARTIAL', created: 2, errors: ['TOO_LARGE'] });
  });

  it('M19: a wrong namespace holds no record', () =>
    refuses(`<collection xmlns="http://example.org/other">${xmlRecord('a')}</collection>`, EMPTY));

  it.each([
    ['UTF-16', Buffer.from(`\ufeff${collection(xmlRecord('a'))}`, 'utf16le')],
    ['a declared ISO 8859-1', collection(xmlRecord('a')).replace('UTF-8', 'ISO-8859-1')],
  ])('M19: %s is not supported', (_, file) => refuses(file, 'Unsupported file format'));

  it('M19: a good file is imported whole, also with a prefix and inside a wrapper', async () => {
    const prefixed = xmlRecord('b')
      .replaceAll(/<(\/?)/g, '<$1m:')
      .replace('<m:record', `<m:record xmlns:m="${NAMESPACE}"`);
    const job = await load(
      `<oai><list>${prefixed}<x xmlns="${NAMESPACE}">${xmlRecord('c')}</x></list></oai>`,
    );
    expect(job).toMatchObject({ status: 'COMMITTED', created: 2, warnings: {} });
  });

  it('M20: an array not closed keeps the records before the fault', async () => {
    const job = await load(`[${jsonRecord('a')},${jsonRecord('b')},{"leader"`);
    expect(job).toMatchObject({ result: 'PARTIAL', created: 2, errors: ['JSON_SYNTAX'] });
  });

  it('M20: deep nesting and another shape cost their object', async () => {
    const deep = `{"leader":${'['.repeat(70)}1${']'.repeat(70)}}`;
    const other = '{"leader":"00000nam a2200000 i 4500","fields":"x"}';
    const job = await load(`[${jsonRecord('a')},${deep},${other},${jsonRecord('b')}]`);
    expect(job).toMatchObject({ result: 'PARTIAL', created: 2 });
    expect(job.errors).toEqual(['JSON_STRUCTURE', 'JSON_STRUCTURE']);
  });

  it('M20: one object, and one object a line, are fine', async () => {
    expect(await load(jsonRecord('a'))).toMatchObject({ status: 'COMMITTED', created: 1 });
    const lines = `${jsonRecord('a')}\n${jsonRecord('b')}\n`;
    expect(await load(lines)).toMatchObject({ status: 'COMMITTED', created: 2 });
  });

  it('M21: EDIFACT, and a profile of another data type, are not supported', async () => {
    await refuses("UNA:+.? 'UNB+UNOC:3+a+b'", 'Unsupported file format');
    const profile = { id: '36a83bc5-9fef-4baa-a36d-7a0f34351dfa', dataType: 'EDIFACT' };
    await refuses(good, 'Unsupported file format', { profile });
  });
});
