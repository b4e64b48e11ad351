import { parseCql, URL_LIMITS } from '@quire/cql/parser';
import { selectIds } from './instance-ids.js';

const byWords = (query: string): boolean =>
  selectIds('INSTANCE', parseCql(query, URL_LIMITS)).byWords;

describe('all rows of a query are found by an index of words or keys', () => {
  it.each([
    ...['nod', 'title=nod', 'title any "nod *"', 'contributors=/@primary=true lee', 'isbn=978*'],
    ...['identifiers==978*', 'languages==eng', 'languages=eng', 'languages==(fre or ger)'],
    ...['title=nod and dates.date1==1998', 'title=nod not deleted==true', 'title=nod or issn=0022'],
  ])('%s', (query) => {
    expect(byWords(query)).toBe(true);
  });
});

describe('another index, or none, finds rows of a query', () => {
  it.each([
    ...['title=""', 'title=*', 'title==nod', 'identifiers==*', 'identifiers=="*978"', 'isbn<978'],
    ...[
      'identifiers<>978',
      'contributors=/@nameType personal',
      'languages==["eng"]',
      'deleted==true',
    ],
    ...[
      'title=nod or dates.date1==1998',
      'dates.date1==1998 not title=nod',
      'hrid==b1 and title=nod',
    ],
  ])('%s', (query) => {
    expect(byWords(query)).toBe(false);
  });
});
