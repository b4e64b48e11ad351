import {
  deletedAuthorities,
  deletedBibs,
  deletedBibsSearch,
  everything,
  queryProblem,
} from './selection.js';

const NOW = new Date('2024-03-01T00:30:00Z');

describe('ids that are to be found', () => {
  it.each([
    [
      { from: '2024-01-01', to: '2024-01-31' },
      "005.date from '20240101' and 005.date to '20240131'",
    ],
    [{ from: '2024-01-01' }, "005.date from '20240101'"],
    [{ to: '2024-01-31' }, "005.date to '20240131'"],
    [{}, "005.date from '20240229' and 005.date to '20240229'"],
  ])('of deleted records between %j', (days, fieldsSearchExpression) => {
    expect(deletedBibsSearch(deletedBibs(days, NOW))).toEqual({
      leaderSearchExpression: "p_05 = 'd'",
      fieldsSearchExpression,
      deleted: true,
    });
  });

  it.each([
    ['instance', false, 'cql.allRecords=1 not discoverySuppress==true', 'INSTANCE'],
    ['holding', false, 'cql.allRecords=1 not discoverySuppress==true', 'HOLDING'],
    ['instance', true, 'cql.allRecords=1', 'INSTANCE'],
    ['authority', false, 'cql.allRecords=1', 'AUTHORITY'],
  ] as const)('of every %s, suppressed ones too: %s', (idType, suppressed, query, recordType) => {
    const asked = { idType, suppressedFromDiscovery: suppressed };
    expect(everything({ ...asked, deletedRecords: true })).toEqual({
      ...{ kind: 'query', query, recordType, deleted: 'include' },
    });
    expect(everything({ ...asked, deletedRecords: false }).deleted).toBe('exclude');
  });

  it('of deleted authorities, all without a query', () => {
    const page = { offset: 0, limit: 100 };
    expect(deletedAuthorities(undefined, page)).toMatchObject({
      query: 'cql.allRecords=1',
      deleted: 'only',
    });
    expect(deletedAuthorities(' hrid==a ', page).query).toBe('hrid==a');
  });
});

describe('the query of a user', () => {
  it('may be one over several lines', () => {
    expect(queryProblem('\n title = a\n and id = b \n', 'q.csv')).toBeUndefined();
  });

  it.each([
    ['', 'error.readingFromInputFile', []],
    [' \n', 'error.readingFromInputFile', []],
    ['title = (', 'error.invalidCqlSyntax', ['q.csv', '10']],
    ['x'.repeat(65_537), 'error.invalidCqlSyntax', ['q.csv', '65537']],
  ])('is none: %.20s', (query, code, values) => {
    expect(queryProblem(query, 'q.csv')).toMatchObject({ code, values });
  });
});
