import { toMarcJson } from '@quire/marc/marc-json';
import { openStored } from '@quire/marc/iso2709/stored';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { changedTags, ChangeTrail, digestsOf, NO_CONTENT } from './record-changes.js';

const bib = (...fields: readonly FieldSketch[]): Buffer => marcRecord({ fields });
const BASE: readonly FieldSketch[] = [
  ['001', 'a1'],
  ['245', '10', { a: 'Title' }],
  ['650', ' 0', { a: 'Water' }],
  ['650', ' 0', { a: 'Fire' }],
];
const base = digestsOf(bib(...BASE), 'ISO2709');
const isoTags = (...fields: readonly FieldSketch[]): string[] =>
  changedTags(base, digestsOf(bib(...fields), 'ISO2709'));

describe('the fields that a content changes', () => {
  it('are named by tag, each once, in the order of tags', () => {
    expect(
      isoTags(
        ['650', ' 0', { a: 'Water' }],
        ['100', '1 ', { a: 'Lee, Ann' }],
        ['001', 'a1'],
        ['245', '10', { a: 'Another title' }],
        ['650', ' 0', { a: 'Air' }],
      ),
    ).toEqual(['100', '245', '650']);
  });

  it('are none for the same content, also when it grows in its numbers only', () => {
    expect(isoTags(...BASE)).toEqual([]);
    const longer = marcRecord({ leader: '99999nam a2299999 i 4500', fields: BASE });
    expect(changedTags(base, digestsOf(longer, 'ISO2709'))).toEqual([]);
  });

  it('name a field whose indicator, subfield code, order or number changed', () => {
    const [number, title, water, fire] = BASE as [
      FieldSketch,
      FieldSketch,
      FieldSketch,
      FieldSketch,
    ];
    expect(isoTags(number, ['245', '00', { a: 'Title' }], water, fire)).toEqual(['245']);
    expect(isoTags(number, ['245', '10', { b: 'Title' }], water, fire)).toEqual(['245']);
    expect(isoTags(number, title, fire, water)).toEqual(['650']);
    expect(isoTags(number, title, water)).toEqual(['650']);
    expect(isoTags(number, title)).toEqual(['650']);
  });

  it('name the leader when its codes change', () => {
    const deleted = marcRecord({ leader: '00000dam a2200000 i 4500', fields: BASE });
    expect(changedTags(base, digestsOf(deleted, 'ISO2709'))).toEqual(['LDR']);
  });

  it('do not depend on the form in which a content is stored', () => {
    const json = toMarcJson(openStored(bib(...BASE)));
    const same = digestsOf(Buffer.from(JSON.stringify(json)), 'JSON');
    expect(changedTags(base, same)).toEqual([]);
    const withoutLeader = digestsOf(Buffer.from(JSON.stringify({ fields: json.fields })), 'JSON');
    expect(changedTags(base, withoutLeader)).toEqual(['LDR']);
  });

  it('are the segments of what is no MARC', () => {
    const order = (more: string): ReturnType<typeof digestsOf> =>
      digestsOf(Buffer.from(`UNH+1+ORDERS'\nFTX+a?'b'${more}UNT+3+1'`), 'TEXT');
    expect(changedTags(order(''), order("LIN+1'"))).toEqual(['LIN']);
    expect(changedTags(order(''), order(''))).toEqual([]);
  });

  it('are all of them where there was no content before, or is none after', () => {
    expect(changedTags(NO_CONTENT, base)).toEqual(['LDR', '001', '245', '650']);
    expect(changedTags(base, digestsOf(null, 'ISO2709'))).toEqual(['LDR', '001', '245', '650']);
  });
});

describe('the history of a record', () => {
  const step = (id: string, generation: number, title: string | null) => ({
    id,
    generation,
    removed: title === null,
    content: title === null ? null : bib(['001', 'a1'], ['245', '10', { a: title }]),
    form: 'ISO2709' as const,
  });

  it('compares a generation with the one that was current, and a change in place with its own generation', () => {
    const trail = new ChangeTrail();
    expect(trail.take(step('g0', 0, 'One'))).toEqual(['LDR', '001', '245']);
    expect(trail.take(step('g1', 1, 'Two'))).toEqual(['245']);
    expect(trail.take(step('g0', 0, 'One'))).toEqual([]);
    expect(trail.take(step('g2', 2, 'Two'))).toEqual([]);
  });

  it('compares what is removed with what is current then', () => {
    const trail = new ChangeTrail();
    trail.take(step('g0', 0, 'One'));
    trail.take(step('g1', 1, 'Two'));
    expect(trail.take(step('g1', 1, null))).toEqual(['245']);
    expect(trail.take(step('again', 1, 'One'))).toEqual([]);
    trail.take(step('again', 1, null));
    expect(trail.take(step('g0', 0, null))).toEqual(['LDR', '001', '245']);
  });
});
