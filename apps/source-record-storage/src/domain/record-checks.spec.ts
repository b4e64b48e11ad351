import type { ChunkOptions, ChunkProfile } from '@quire/contracts/data-import';
import { MARC_RECORD_TYPES } from '@quire/contracts/source-records';
import type { RecordSummary } from '@quire/marc/fields';
import { check, type CheckContext } from './record-checks.js';

const ID = 'a1e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e11';

const summary = (changes: Partial<RecordSummary> = {}): RecordSummary => ({
  recordType: 'MARC_BIB',
  status: 'n',
  deleted: false,
  hrid: 'in1',
  controlNumberSource: undefined,
  parentHrid: undefined,
  title: 'The nod',
  ...changes,
});

const context = (
  on999ff: ChunkOptions['on999ff'],
  recordTypes: ChunkProfile['recordTypes'] = MARC_RECORD_TYPES,
): CheckContext => ({
  profile: { id: ID, name: 'Create records', recordTypes, match: 'none' },
  options: { on999ff, skipUnchanged: true, strict: false, assignInstanceIds: true, dryRun: false },
  isBib: (hrid) => hrid === 'in1',
});

describe('a record that could be read', () => {
  it('passes with the type that its leader says', () => {
    for (const recordType of MARC_RECORD_TYPES)
      expect(
        check(summary({ recordType, parentHrid: 'in1' }), { count: 0 }, context('reject')),
      ).toEqual({
        recordType,
        stripped: false,
      });
  });

  it('fails for a leader that says no type, before anything else is asked', () => {
    expect(
      check(summary({ recordType: undefined }), { count: 1, s: ID }, context('reject', [])),
    ).toEqual({ code: 'RECORD_TYPE', field: 'LDR' });
  });

  it('fails for a type that the profile does not take, before its 999 ff is looked at', () => {
    expect(check(summary(), { count: 1, s: ID }, context('reject', ['MARC_AUTHORITY']))).toEqual({
      code: 'PROFILE_TYPE',
    });
  });

  it.each([{ s: ID }, { i: ID }, { s: 'no uuid' }])(
    'fails for a 999 ff with %j where those are rejected',
    (ids) => {
      expect(check(summary(), { count: 1, ...ids }, context('reject'))).toEqual({
        code: 'EXISTING_999FF',
        field: '999',
      });
    },
  );

  it('passes with a 999 ff that names nothing', () => {
    const passed = { recordType: 'MARC_BIB', stripped: false };
    expect(check(summary(), { count: 1 }, context('reject'))).toEqual(passed);
  });

  it('is said to be stripped of its 999 ff only where there is one and the job strips', () => {
    const stripped = (on999ff: ChunkOptions['on999ff'], count: number): unknown =>
      check(summary(), { count, ...(count > 0 ? { s: ID } : {}) }, context(on999ff));
    expect(stripped('strip', 1)).toMatchObject({ stripped: true });
    expect(stripped('strip', 0)).toMatchObject({ stripped: false });
    expect(stripped('accept', 1)).toMatchObject({ stripped: false });
  });

  it('passes as holdings only below a bibliographic record that is there', () => {
    const below = (parentHrid: string | undefined): unknown =>
      check(summary({ recordType: 'MARC_HOLDING', parentHrid }), { count: 0 }, context('reject'));
    expect(below('in1')).toMatchObject({ recordType: 'MARC_HOLDING' });
    expect(below('in2')).toEqual({ code: 'HOLDINGS_004', field: '004' });
    expect(below(undefined)).toEqual({ code: 'HOLDINGS_004', field: '004' });
  });

  it('fails as holdings for its 999 ff first, for the form of its ids last', () => {
    const lost = summary({ recordType: 'MARC_HOLDING', parentHrid: 'in2' });
    const ids = { count: 1, s: 'no uuid' };
    expect(check(lost, ids, context('reject'))).toMatchObject({ code: 'EXISTING_999FF' });
    expect(check(lost, ids, context('accept'))).toMatchObject({ code: 'HOLDINGS_004' });
  });

  it('fails for accepted ids that are no UUIDs', () => {
    const accepted = (ids: { s?: string; i?: string }): unknown =>
      check(summary(), { count: 1, ...ids }, context('accept'));
    expect(accepted({ s: 'x', i: 'y' })).toEqual({ code: 'MATCHED_ID', field: '999' });
    expect(accepted({ s: ID, i: 'y' })).toEqual({ code: 'EXTERNAL_ID', field: '999' });
    expect(accepted({ s: ID.toUpperCase(), i: ID })).toMatchObject({ recordType: 'MARC_BIB' });
    expect(check(summary(), { count: 1, s: 'x' }, context('strip'))).toMatchObject({
      stripped: true,
    });
  });
});
