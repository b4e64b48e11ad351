import { readMarcJson } from '@quire/marc/marc-json-read';
import { contentWithIds, readContent, type ReadableContent } from './parsed-content.js';
import { contentJson, contentOf, marcBytesOf, marcRecordOf } from './stored-content.js';

const LEADER = '00000cam a2200000 i 4500';
const title = (a: string): object => ({ '245': { ind1: '1', ind2: '0', subfields: [{ a }] } });
const ff = (...subfields: object[]): object => ({ '999': { ind1: 'f', ind2: 'f', subfields } });
const marc = (...fields: object[]): object => ({ leader: LEADER, fields });
const plain = marc({ '001': 'in1' }, { '003': 'DLC' }, title('A title'));

function readable(
  content: unknown,
  type: 'MARC_BIB' | 'MARC_AUTHORITY' | 'EDIFACT' = 'MARC_BIB',
): ReadableContent {
  const read = readContent(type, content);
  if (read.failed) throw new Error(read.reason);
  return read;
}
/** The fields after ids were written into them. */
function fieldsWith(content: object, ids: { s: string; i?: string }): unknown {
  const stored = contentWithIds(readable(content), ids);
  if ('failed' in stored) throw new Error(stored.reason);
  return (contentOf(stored) as { fields: unknown }).fields;
}

describe('content that is sent', () => {
  it('becomes ISO 2709 where that carries it exactly, as an object and as text', () => {
    for (const content of [plain, JSON.stringify(plain)]) {
      const { stored } = readable(content);
      expect(stored.form).toBe('ISO2709');
      expect(contentOf(stored)).toMatchObject({ fields: (plain as { fields: object[] }).fields });
    }
  });

  it.each([
    ['no leader', { fields: [{ '001': 'in1' }] }],
    ['a delimiter inside text', marc({ '001': 'in1' }, title('a\u001fb'))],
    ['an end mark inside text', marc({ '001': 'in\u001e1' })],
    ['U+0000 inside text', marc(title('a\u0000b'))],
    ['half a surrogate pair', marc(title('a\ud800'))],
    ['indicators that are none', marc({ '245': { ind1: 'é', ind2: '', subfields: [{ a: 'x' }] } })],
    ['no indicators', marc({ '245': { subfields: [{ a: 'x' }] } })],
    ['a property of its own', { ...plain, note: 'mine' }],
    ['a property of a field', marc({ '245': { ind1: ' ', ind2: ' ', subfields: [], x: 1 } })],
    [
      'a leader with letters of others',
      { leader: '00000cam a2200000 é 4500', fields: [title('x')] },
    ],
  ])('stays the JSON that it is with %s', (_, content) => {
    const { stored } = readable(content);
    expect(stored.form).toBe('JSON');
    expect(contentOf(stored)).toEqual(content);
    expect(JSON.parse(contentJson(stored))).toEqual(content);
  });

  it('keeps fields without subfields and very long fields in ISO 2709', () => {
    const content = marc(
      { '500': { ind1: ' ', ind2: ' ', subfields: [] } },
      title('x'.repeat(120_000)),
    );
    const { stored } = readable(content);
    expect(stored.form).toBe('ISO2709');
    expect(contentOf(stored)).toMatchObject({ fields: (content as { fields: object[] }).fields });
  });

  it.each([
    ['no JSON', '{"leader":', 'The object is not well-formed JSON', undefined],
    [
      'brackets nested too deep',
      '['.repeat(65),
      'Objects and lists are nested more than 64 deep',
      undefined,
    ],
    ['a list', [], 'A record is an object with leader and fields', undefined],
    ['no fields', { leader: LEADER }, '"fields" is not a list', undefined],
    [
      'a leader of other length',
      { leader: 'short', fields: [{ '001': 'in1' }] },
      'The leader is missing or does not have 24 characters (field LDR)',
      'in1',
    ],
    [
      'a field of two tags',
      marc({ '001': 'in1' }, { '003': 'a', '005': 'b' }),
      'Field 2 is not an object with one tag',
      'in1',
    ],
    ['a tag that is none', marc({ '001': 'in1' }, { '24': 'x' }), 'Invalid tag: 24', 'in1'],
    [
      'more than 1 MiB',
      marc({ '001': 'in1' }, title('x'.repeat(1_048_576))),
      'The record is longer than 1 MiB',
      'in1',
    ],
    ['a 001 that is no text', marc({ '001': 5 }), 'Field 001 is not text', undefined],
  ])('is unreadable with %s', (_, content, reason, hrid) => {
    const sent = typeof content === 'string' ? content : JSON.stringify(content);
    expect(readContent('MARC_BIB', content)).toEqual({ failed: true, reason, sent, hrid });
  });

  it('that is unreadable is kept as text that Postgres takes', () => {
    expect(readContent('MARC_BIB', 'a\u0000b\ud800')).toMatchObject({ sent: 'a\ufffdb\ufffd' });
  });

  it('may be an EDIFACT message as text, or any JSON of it', () => {
    const text = "UNH+1+INVOIC:D:96A:UN'";
    expect(readable(text, 'EDIFACT').stored).toEqual({ form: 'TEXT', bytes: Buffer.from(text) });
    const json = { segments: [{ tag: 'UNH' }] };
    for (const content of [json, JSON.stringify(json, undefined, 2)]) {
      const { stored, facts } = readable(content, 'EDIFACT');
      expect(stored).toEqual({ form: 'JSON', bytes: Buffer.from(JSON.stringify(json)) });
      expect(facts).toMatchObject({ parsed: true, leaderStatus: undefined });
    }
    expect(readContent('EDIFACT', 5)).toMatchObject({ failed: true, sent: '5' });
    expect(readContent('EDIFACT', '')).toMatchObject({ failed: true });
  });
});

describe('what is kept beside content', () => {
  it('is 001, 003, title, status and the ids of 999 ff', () => {
    const content = marc(
      { '001': 'in1' },
      { '003': 'DLC' },
      title('A title'),
      ff({ s: 's1' }, { i: 'i1' }),
    );
    expect(readable(content).facts).toEqual({
      parsed: true,
      leaderStatus: 'c',
      hrid: 'in1',
      controlNumberSource: 'DLC',
      title: 'A title',
      ids: { count: 1, s: 's1', i: 'i1' },
    });
  });

  it('is the heading of an authority, and a title of at most 300 bytes', () => {
    const heading = marc(
      { '001': ' au1 ' },
      { '100': { ind1: '1', ind2: ' ', subfields: [{ a: 'Lee, Ann' }] } },
    );
    expect(readable(heading, 'MARC_AUTHORITY').facts).toMatchObject({
      title: 'Lee, Ann',
      hrid: 'au1',
    });
    expect(readable(marc(title('é'.repeat(200)))).facts.title).toBe('é'.repeat(150));
  });

  it.each([...'acdnposx'])('is a status %s of the leader', (status) => {
    const leader = LEADER.slice(0, 5) + status + LEADER.slice(6);
    expect(readable({ leader, fields: [title('x')] }).facts.leaderStatus).toBe(status);
  });

  it.each([...'bez |'])('is no status "%s", which hides nothing', (status) => {
    const leader = LEADER.slice(0, 5) + status + LEADER.slice(6);
    const { facts } = readable({ leader, fields: [title('x')] });
    expect(facts).toMatchObject({ parsed: true, leaderStatus: undefined });
  });

  it('says that a record without leader is not to be shown', () => {
    for (const content of [
      { fields: [{ '001': 'in1' }] },
      { leader: null, fields: [{ '001': 'in1' }] },
    ])
      expect(readable(content).facts).toMatchObject({
        parsed: false,
        leaderStatus: undefined,
        hrid: 'in1',
      });
  });
});

describe('ids in 999 ff', () => {
  it('come last, after all other fields as they were', () => {
    const fields = [{ '245': { ind1: ' ', ind2: ' ', subfields: [{ a: 'x' }] } }, { '001': 'in1' }];
    expect(fieldsWith(marc(...fields), { s: 's1' })).toEqual([...fields, ff({ s: 's1' })]);
  });

  it('replace the ids of the field that is there, in its place', () => {
    const before = marc(
      ff({ i: 'i0' }, { s: 's0' }, { l: 'mine' }),
      { '001': 'in1' },
      ff({ s: 'x' }),
    );
    expect(fieldsWith(before, { s: 's1' })).toEqual([
      ff({ i: 'i0' }, { s: 's1' }, { l: 'mine' }),
      { '001': 'in1' },
    ]);
    expect(fieldsWith(before, { s: 's1', i: 'i1' })).toEqual([
      ff({ i: 'i1' }, { s: 's1' }, { l: 'mine' }),
      { '001': 'in1' },
    ]);
  });

  it('leave a plain 999 alone', () => {
    const other = { '999': { ind1: ' ', ind2: ' ', subfields: [{ s: 'x' }] } };
    expect(fieldsWith(marc(other), { s: 's1' })).toEqual([other, ff({ s: 's1' })]);
  });

  it('are written into JSON too, and are a field for a record that had none', () => {
    const odd = marc(title('a\u001fb'));
    expect(fieldsWith(odd, { s: 's1' })).toEqual([title('a\u001fb'), ff({ s: 's1' })]);
    expect(fieldsWith({ fields: [] }, { s: 's1' })).toEqual([ff({ s: 's1' })]);
    expect(contentWithIds(readable(marc()), { s: 's1' })).toMatchObject({ form: 'ISO2709' });
  });

  it('are not written into EDIFACT', () => {
    const message = readable("UNH+1'", 'EDIFACT');
    expect(contentWithIds(message, { s: 's1' })).toBe(message.stored);
  });

  it('make a record unreadable that has no room for them', () => {
    const full = marc({ '001': 'in1' }, title('x'.repeat(1_048_576 - 90)));
    expect(contentWithIds(readable(full), { s: 's'.repeat(36) })).toMatchObject({
      failed: true,
      reason: 'The record is longer than 1 MiB',
    });
  });
});

describe('MARC of stored content', () => {
  it('is its bytes, or is made of JSON with repairs', () => {
    const exact = readable(plain).stored;
    expect(marcBytesOf(exact)).toBe(exact.bytes);
    const odd = readable(marc({ '001': 'in\u001e1' })).stored;
    const repaired = readMarcJson(marc({ '001': 'in\ufffd1' }));
    expect(marcBytesOf(odd)).toEqual(repaired.failed ? undefined : repaired.bytes);
  });

  it('has no bytes without a leader, but fields that can be read', () => {
    const { stored } = readable({ fields: [{ '001': 'in1' }] });
    expect(marcBytesOf(stored)).toBeUndefined();
    expect(marcRecordOf(stored)?.text(0)).toBe('in1');
    const message = readable("UNH+1'", 'EDIFACT').stored;
    expect(marcRecordOf(message)).toBeUndefined();
    expect(contentJson(message)).toBe('"UNH+1\'"');
  });
});
