import { openStored } from '@quire/marc/iso2709/stored';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import type { InstanceData } from '../domain/instance-facts.js';
import { instanceFacts } from './instance-row.js';

const dataOf = (...fields: FieldSketch[]): InstanceData =>
  instanceFacts(openStored(marcRecord({ fields: [['001', 'in1'], ...fields] }))).data;

describe('identifiers', () => {
  it.each<[FieldSketch, readonly (readonly [value: string, type: string])[]]>([
    [
      ['010', '  ', { a: '   97012345 ', z: '97000000' }],
      [
        ['97012345', 'LCCN'],
        ['97000000', 'Canceled LCCN'],
      ],
    ],
    [
      [
        '020',
        '  ',
        [
          ['a', '0140328726'],
          ['q', '(pbk.) :'],
          ['c', '$3.50'],
          ['z', '0140328727'],
        ],
      ],
      [
        ['0140328727', 'Invalid ISBN'],
        ['0140328726 (pbk.) : $3.50', 'ISBN'],
      ],
    ],
    [
      [
        '020',
        '  ',
        [
          ['q', 'no number'],
          ['a', '0140328726'],
          ['a', '9780140328721'],
          ['q', '(set)'],
        ],
      ],
      [
        ['0140328726', 'ISBN'],
        ['9780140328721 (set)', 'ISBN'],
      ],
    ],
    [
      [
        '022',
        '  ',
        { a: '0022-0469', l: '0022-0460', y: '0022-0461', z: '0022-0462', m: '0022-0463' },
      ],
      [
        ['0022-0469', 'ISSN'],
        ['0022-0460', 'Linking ISSN'],
        ['0022-0461', 'Invalid ISSN'],
        ['0022-0462', 'Invalid ISSN'],
        ['0022-0463', 'Invalid ISSN'],
      ],
    ],
    [['024', '1 ', { a: '012345678905', z: '1' }], [['012345678905', 'UPC']]],
    [['024', '2 ', { a: 'M571100511' }], [['M571100511', 'ISMN']]],
    [['024', '7 ', { a: '10.1000/1', '2': 'doi' }], [['10.1000/1', 'doi']]],
    [['024', '7 ', { a: '10.1000/1' }], [['10.1000/1', 'Other standard identifier']]],
    [['024', '80', { a: 'test123' }], [['test123', 'Other standard identifier']]],
    [
      ['028', '02', { b: 'Nod Records', a: 'NR 1', q: '(disc)' }],
      [['Nod Records NR 1', 'Publisher or distributor number']],
    ],
    [['030', '  ', { a: 'ASIRAF', z: 'XXXXXX' }], [['ASIRAF', 'CODEN']]],
    [
      [
        '035',
        '  ',
        [
          ['a', '(OCoLC)12'],
          ['a', '(DLC)34'],
          ['z', '(OCoLC)56'],
        ],
      ],
      [
        ['(OCoLC)12', 'OCLC'],
        ['(DLC)34', 'System control number'],
        ['(OCoLC)56', 'Cancelled system control number'],
      ],
    ],
    [['074', '  ', { a: '0830-D', z: '0831' }], [['0830-D', 'GPO item number']]],
    [['088', '  ', { a: 'NR-88-1', z: 'NR-88-2' }], [['NR-88-1', 'Report number']]],
  ])('of %j are %j', (field, expected) => {
    const { identifiers } = dataOf(field);
    expect(identifiers).toHaveLength(expected.length);
    expect(identifiers).toEqual(
      expect.arrayContaining(expected.map(([value, type]) => ({ value, type }))),
    );
  });

  it.each([
    ['0140328726 (pbk.)', ['0140328726', '9780140328721']],
    ['0-14-032872-6', ['0140328726', '9780140328721']],
    ['9780140328721', ['9780140328721', '0140328726']],
    ['978-0-8044-2957-3', ['9780804429573', '080442957X']],
    ['080442957x', ['080442957X', '9780804429573']],
    ['9791090636071', ['9791090636071']],
    ['0140328720', ['0140328720', '9780140328721']],
    ['12345', ['12345']],
    ['X140328726', ['X140328726']],
    ['(unknown)', undefined],
  ])('have ISBNs of %j in both forms: %j', (text, expected) => {
    expect(dataOf(['020', '  ', { a: text }]).isbn).toEqual(expected);
  });

  it('have each ISBN once, and none of $z', () => {
    const { isbn } = dataOf(
      ['020', '  ', { a: '0140328726' }],
      ['020', '  ', { a: '9780140328721', z: '9780804429573' }],
    );
    expect(isbn).toEqual(['0140328726', '9780140328721']);
  });

  it.each([
    ['0022-0469', ['0022-0469', '00220469']],
    ['2049363X (online)', ['2049-363X', '2049363X']],
    ['1234', ['1234']],
    ['none', undefined],
  ])('have ISSNs of %j with and without hyphen: %j', (text, expected) => {
    expect(dataOf(['022', '  ', { a: text, y: '1111-1111' }]).issn).toEqual(expected);
  });

  it.each([
    ['(OCoLC)12345', ['12345']],
    ['(OCoLC)ocm00012345', ['12345']],
    ['(OCoLC)ocn792885998', ['792885998']],
    ['(OCoLC)on1012345678', ['1012345678']],
    ['(OCoLC) 0012345 ', ['12345']],
    ['(OCOLC)12345', ['12345']],
    ['(DLC)12345', undefined],
    ['ocm00012345', undefined],
    ['(OCoLC)', undefined],
  ])('have OCLC numbers of %j as %j', (text, expected) => {
    expect(dataOf(['035', '  ', { a: text, z: '(OCoLC)999' }]).oclc).toEqual(expected);
  });
});
