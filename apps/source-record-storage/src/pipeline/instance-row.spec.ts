import { openStored } from '@quire/marc/iso2709/stored';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { exactKeys, type InstanceFacts } from '../domain/instance-facts.js';
import { wordGroups } from '../domain/instance-words.js';
import { tidy } from './instance-fields.js';
import { instanceFacts } from './instance-row.js';

const factsOf = (...fields: FieldSketch[]): InstanceFacts =>
  instanceFacts(openStored(marcRecord({ fields: [['001', 'in1'], ...fields] })));
const dataOf = (...fields: FieldSketch[]) => factsOf(...fields).data;

describe('tidy', () => {
  it.each([
    ['  Title /', 'Title'],
    ['Title : ;', 'Title :'],
    ['Place:', 'Place'],
    ['Name,', 'Name'],
    ['Parallel =', 'Parallel'],
    ['Mice.', 'Mice'],
    ['Mice. /', 'Mice'],
    ['1999.', '1999'],
    ['Lee, A.', 'Lee, A.'],
    ['Pub. Co.', 'Pub. Co.'],
    ['Sons, Ltd.', 'Sons, Ltd.'],
    ['Mars, Élie.', 'Mars, Élie'],
    ['Été.', 'Été.'],
    ['E\u0301te\u0301.', 'E\u0301te\u0301.'],
    ['And so on...', 'And so on...'],
    ['.', ''],
    [' / ', ''],
    ['', ''],
  ])('makes %j to %j', (text, expected) => {
    expect(tidy(text)).toBe(expected);
  });
});

describe('titles', () => {
  it('are the wanted subfields of the first 245, joined by one blank in the order of the record', () => {
    const { title } = factsOf(
      [
        '245',
        '14',
        [
          ['a', 'The nod :'],
          ['b', ' a novel '],
          ['h', '[text]'],
          ['n', 'Part 1,'],
          ['p', 'Night'],
          ['f', '1990-1998'],
          ['g', 'bulk'],
          ['k', 'diaries'],
          ['s', 'draft /'],
          ['c', 'Ann Lee'],
          ['x', 'not this'],
          ['6', '880-01'],
        ],
      ],
      ['245', '10', { a: 'Second' }],
    );
    expect(title).toBe(
      'The nod : a novel [text] Part 1, Night 1990-1998 bulk diaries draft / Ann Lee',
    );
  });

  it.each([
    ['14', { a: 'The nod :', b: 'a novel /', c: 'Ann Lee' }, 'nod : a novel'],
    ['10', { a: 'The nod.', h: '[text]', n: 'Part 1.', p: 'Night.' }, 'The nod. Part 1. Night'],
    ['1 ', { a: 'The nod' }, 'The nod'],
    ['11', { a: '𝔄bc' }, 'bc'],
    ['19', { a: 'Short' }, 'Short'],
  ])('sort by indicators %j of %j as %j', (indicators, subfields, expected) => {
    expect(factsOf(['245', indicators, subfields]).indexTitle).toBe(expected);
  });

  it('are absent where there is no 245', () => {
    expect(factsOf(['500', '  ', { a: 'A note' }])).toMatchObject({
      title: undefined,
      indexTitle: undefined,
    });
  });

  it('have others from 130, 240 and 246, each with its own subfields', () => {
    const all = [...'abcdefghijklmnopqrst'].map((code) => [code, code.toUpperCase()] as const);
    expect(dataOf(['130', '0 ', all], ['240', '10', all], ['246', '3 ', all])).toMatchObject({
      alternativeTitles: [
        { alternativeTitle: 'A D F G H K L M N O P R S T' },
        { alternativeTitle: 'A D F G H K L M N O P R S' },
        { alternativeTitle: 'A B F G H N P' },
      ],
    });
    expect(dataOf(['246', '3 ', { a: 'Nod :', b: 'tale /' }]).alternativeTitles).toEqual([
      { alternativeTitle: 'Nod : tale' },
    ]);
  });

  it('have series from 490 and the added entries', () => {
    expect(
      dataOf(
        ['490', '1 ', { a: 'Essays ;', v: '2', x: '1234-5678' }],
        ['800', '1 ', { a: 'Lee, Ann.', t: 'Essays ;', v: '2.', w: '(DE-588)1', x: '1234-5678' }],
        ['810', '2 ', { a: 'Body.' }],
        ['811', '2 ', { a: 'Meeting.' }],
        ['830', ' 0', { a: 'Essays ;' }],
      ).series,
    ).toEqual([
      { value: 'Essays ; 2' },
      { value: 'Lee, Ann. Essays ; 2' },
      { value: 'Body' },
      { value: 'Meeting' },
      { value: 'Essays' },
    ]);
  });
});

describe('contributors', () => {
  it('are main and added entries of the three kinds', () => {
    const data = dataOf(
      ['100', '1 ', { a: 'Lee, Ann,', d: '1970-', e: 'author.', '4': 'aut', '9': 'a-1' }],
      ['110', '2 ', { a: 'Nod Press.', b: 'Archive,', e: 'issuing body.' }],
      ['111', '2 ', { a: 'Congress of Nods', n: '(2nd :', j: 'host.' }],
      ['700', '1 ', { a: 'Nod, Per' }],
      ['710', '2 ', { a: 'Office,' }],
      ['711', '2 ', { a: 'Symposium' }],
      ['720', '1 ', { a: 'Nobody' }],
    );
    const more = { primary: false } as const;
    expect(data.contributors).toEqual([
      {
        name: 'Lee, Ann, 1970-',
        nameType: 'Personal name',
        primary: true,
        relator: 'aut',
        authorityId: 'a-1',
      },
      {
        name: 'Nod Press. Archive',
        nameType: 'Corporate name',
        primary: true,
        relator: 'issuing body',
      },
      {
        name: 'Congress of Nods (2nd',
        nameType: 'Meeting name',
        primary: true,
        relator: 'host',
      },
      { name: 'Nod, Per', nameType: 'Personal name', ...more },
      { name: 'Office', nameType: 'Corporate name', ...more },
      { name: 'Symposium', nameType: 'Meeting name', ...more },
    ]);
  });

  it('have names of the subfields of their kind', () => {
    const all = [...'abcdefghijklmnopqrstuvwxyz'].map(
      (code) => [code, code.toUpperCase()] as const,
    );
    const names = dataOf(['100', '1 ', all], ['710', '2 ', all], ['111', '2 ', all]).contributors;
    expect(names?.map(({ name }) => name)).toEqual([
      'A B C D F G J K L N P Q T U',
      'A B C D F G K L N P T U',
      'A B C D F G K L N P T U',
    ]);
  });
});

describe('what else is said of an edition', () => {
  const fixed = (dates: string, language: string): string =>
    `240102${dates.padEnd(9)}xx            000 0 ${language} d`;

  it('has languages of 008 and 041 $a, cut in threes, each once and in lower case', () => {
    expect(
      dataOf(
        ['008', fixed('s1998', 'ENG')],
        [
          '041',
          '1 ',
          [
            ['a', 'engfre'],
            ['a', 'Por'],
            ['a', 'en'],
            ['h', 'ger'],
          ],
        ],
        ['041', '1 ', { a: '|||ita###' }],
      ).languages,
    ).toEqual(['eng', 'fre', 'por', 'en', 'ita']);
    for (const none of ['   ', '|||', '###'])
      expect(dataOf(['008', fixed('s1998', none)])).not.toHaveProperty('languages');
  });

  it('has dates of the first 008 without blanks', () => {
    expect(
      dataOf(['008', fixed('m19uu1999', 'eng')], ['008', fixed('s2020', 'eng')]).dates,
    ).toEqual({
      dateType: 'm',
      date1: '19uu',
      date2: '1999',
    });
    expect(dataOf(['008', fixed('s19  ', 'eng')]).dates).toEqual({ dateType: 's', date1: '19' });
    expect(dataOf(['008', fixed('', 'eng')])).not.toHaveProperty('dates');
    expect(dataOf(['008', 'short'])).not.toHaveProperty('dates');
  });

  it('has publication of 260 and 264 and the years in it', () => {
    const data = dataOf(
      [
        '260',
        '  ',
        [
          ['a', 'Oslo ;'],
          ['a', 'Bergen :'],
          ['b', 'Nod,'],
          ['c', 'c1998-[1999?], 12345.'],
        ],
      ],
      ['264', ' 1', { c: '1999, 2001' }],
      ['264', ' 4', { e: 'printed' }],
    );
    expect(data.publication).toEqual([
      { place: 'Oslo ; Bergen', publisher: 'Nod', dateOfPublication: 'c1998-[1999?], 12345' },
      { dateOfPublication: '1999, 2001' },
    ]);
    expect(data.dateOfPublication).toEqual(['1998', '1999', '2001']);
  });

  it('has subjects of all letter subfields', () => {
    const tags = ['600', '610', '611', '630', '647', '648', '650', '651', '655'];
    const subjects = tags.map((tag): FieldSketch => [
      tag,
      ' 0',
      { a: `T${tag}`, x: 'Old.', '2': 'fast' },
    ]);
    expect(dataOf(...subjects, ['653', '  ', { a: 'Free' }]).subjects).toEqual(
      tags.map((tag) => ({ value: `T${tag} Old.` })),
    );
    expect(dataOf(['650', ' 0', { a: 'Mice', v: 'Fiction.' }]).subjects).toEqual([
      { value: 'Mice Fiction' },
    ]);
  });

  it('has classifications with their kind', () => {
    const tags = ['050', '060', '080', '082', '086', '090'];
    const types = ['LC', 'NLM', 'UDC', 'Dewey', 'SUDOC', 'LC local'];
    const fields = tags.map((tag): FieldSketch => [
      tag,
      '00',
      { a: 'B171', b: '.B372', '2': '22' },
    ]);
    expect(dataOf(...fields).classifications).toEqual(
      types.map((type) => ({ classificationNumber: 'B171 .B372', type })),
    );
  });

  it('has the addresses of 856', () => {
    expect(
      dataOf([
        '856',
        '40',
        [
          ['u', 'https://a.example/1'],
          ['u', 'https://a.example/2'],
          ['z', 'Free'],
        ],
      ]).electronicAccess,
    ).toEqual([{ uri: 'https://a.example/1' }, { uri: 'https://a.example/2' }]);
  });

  it('has the first codes of 336 and 338', () => {
    const data = dataOf(
      ['336', '  ', { a: 'text', b: 'txt' }],
      ['336', '  ', { b: 'sti' }],
      ['338', '  ', { a: 'volume' }],
      ['338', '  ', { b: 'nc' }],
    );
    expect(data).toMatchObject({ instanceTypeCode: 'txt', instanceFormatCode: 'nc' });
  });

  it.each([
    ['m', 'single unit'],
    ['a', 'single unit'],
    ['c', 'single unit'],
    ['d', 'single unit'],
    ['s', 'serial'],
    ['b', 'serial'],
    ['i', 'integrating resource'],
    ['x', undefined],
  ])('has mode of issuance of leader 07 %j: %j', (char, mode) => {
    const leader = `00000na${char} a2200000 i 4500`;
    const record = openStored(marcRecord({ leader, fields: [['001', 'in1']] }));
    const { data } = instanceFacts(record);
    expect(data.modeOfIssuance).toBe(mode);
    expect(data.recordKind).toBe(`a${char}`);
  });
});

describe('fields in another script', () => {
  it('feed the indexes of the tag they are linked with', () => {
    const { data } = factsOf(
      ['245', '10', { '6': '880-01', a: 'Voda' }],
      ['880', '10', { '6': '245-01/(N', a: 'Вода /', c: 'Петров.' }],
      ['880', '1 ', { '6': '100-02/(N', a: 'Петров, Иван,' }],
      ['880', ' 1', { '6': '264-03/(N', b: 'Наука,', c: '1999.' }],
      ['880', ' 0', { '6': '650-04', a: 'Реки.' }],
      ['880', '  ', { '6': '500-05', a: 'Nothing' }],
      ['880', '  ', { a: 'No link' }],
      ['880', '  ', { '6': '24', a: 'Bad link' }],
      ['880', '  ', { '6': '880-06', a: 'A link to itself' }],
    );
    expect(data).toMatchObject({
      linkedTitles: ['Вода / Петров.'],
      contributors: [{ name: 'Петров, Иван', primary: true }],
      publication: [{ publisher: 'Наука', dateOfPublication: '1999' }],
      subjects: [{ value: 'Реки' }],
    });
  });

  it('are the title only where there is no other', () => {
    const linked = ['880', '14', { '6': '245-01', a: 'Une eau' }] as const;
    expect(factsOf(linked, ['245', '10', { a: 'Voda' }])).toMatchObject({
      title: 'Voda',
      indexTitle: 'Voda',
      data: { linkedTitles: ['Une eau'] },
    });
    const alone = factsOf(linked);
    expect(alone).toMatchObject({ title: 'Une eau', indexTitle: 'eau' });
    expect(alone.data).not.toHaveProperty('linkedTitles');
  });
});

describe('what the indexes take', () => {
  const facts = factsOf(
    ['020', '  ', { a: '0140328726 (pbk.)' }],
    ['022', '  ', { a: '0022-0469' }],
    ['035', '  ', { a: '(OCoLC)ocm00012345' }],
    ['041', '0 ', { a: 'engfre' }],
    ['100', '1 ', { a: 'Lee, Ann,' }],
    ['245', '14', { '6': '880-01', a: 'The nod' }],
    ['246', '3 ', { a: 'Nodding' }],
    ['490', '0 ', { a: 'Heads' }],
    ['880', '10', { '6': '245-01', a: 'Вода' }],
  );

  it('is a list of texts for every field', () => {
    expect(wordGroups(facts)).toEqual([
      { prefix: 't:', elements: ['The '], open: true },
      { prefix: 'u:', elements: ['nod'] },
      { prefix: 'u:', elements: ['Вода'] },
      { prefix: 'p:', elements: ['Lee, Ann'] },
      { prefix: 'i:', elements: ['0140328726 (pbk.)', '0022-0469', '(OCoLC)ocm00012345'] },
      { prefix: 'n:', elements: ['0140328726', '9780140328721'] },
      { prefix: 's:', elements: ['0022-0469', '00220469'] },
      { prefix: 'a:', elements: ['Nodding'] },
      { prefix: 'r:', elements: ['Heads'] },
    ]);
  });

  it.each([
    ['10', { a: 'The nod :', b: 'a novel /', c: 'Ann Lee' }, 'u:The nod : a novel|t: / Ann Lee'],
    ['14', { a: 'The nod' }, 't:The |u:nod'],
    ['12', { a: 'The nod' }, 't:The nod|x:e nod'],
    [
      '10',
      { a: 'The nod', c: 'Ann Lee', b: 'a novel' },
      't:The nod Ann Lee a novel|x:The nod a novel',
    ],
    ['10', { a: 'A <b> c' }, 't:A <b> c|x:A <b> c'],
  ])(
    'has the words of a title once, those of the index title under a prefix of their own: %#',
    (signs, parts, said) => {
      const groups = wordGroups(factsOf(['245', signs, parts]));
      expect(groups.map(({ prefix, elements }) => prefix + elements.join()).join('|')).toBe(said);
    },
  );

  it('is a key for every value that is found as a whole', () => {
    expect(exactKeys(facts)).toEqual([
      ...[
        'id:0140328726 (pbk.)',
        'id:0022-0469',
        'id:(OCoLC)ocm00012345',
        'name:Lee, Ann',
        'name1:Lee, Ann',
      ],
      ...['isbn:0140328726', 'isbn:9780140328721', 'issn:0022-0469', 'issn:00220469'],
      ...['oclc:12345', 'lang:eng', 'lang:fre'],
    ]);
  });
});

describe('damaged records', () => {
  it('give what they have', () => {
    expect(
      factsOf(
        ['245', '10', []],
        ['100', '1 ', { a: ' , ' }],
        ['020', '  ', { a: '' }],
        ['041', '  ', [['é', 'x']]],
      ),
    ).toMatchObject({ title: undefined, data: { recordKind: 'am' } });
  });
});
