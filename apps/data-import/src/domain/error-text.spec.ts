import { uuidV5 } from '@quire/contracts/ids';
import { errorText, type FailedRecord } from './error-text.js';

const JOB = '6b0e1e2c-51a5-4c6e-9c55-3c1a1d1f0a01';
const record = (code: string, changes: Partial<FailedRecord> = {}): FailedRecord => ({
  jobId: JOB,
  order: 4,
  at: 120,
  code,
  profileName: 'Create authorities',
  ...changes,
});
const entry = (code: string, message: string): string =>
  JSON.stringify({ errors: [{ name: code, message }] });

describe('the error of a log entry', () => {
  it.each([
    ['STORE', 'The record could not be stored (record 5, byte 120)'],
    ['MATCHED_ID', 'Field 999 ff $s holds no UUID (record 5, byte 120)'],
    ['EXTERNAL_ID', 'Field 999 ff $i holds no UUID (record 5, byte 120)'],
    ['NEVER_SEEN', 'The record could not be stored (record 5, byte 120)'],
  ])('of %s names the record, counted from one, and its byte', (code, message) => {
    expect(errorText(record(code))).toBe(entry(code, message));
  });

  it('of a duplicate is the sentence that FOLIO clients know', () => {
    expect(errorText(record('DUPLICATE'))).toBe('Incoming file may contain duplicates');
  });

  it('of a record that cannot be read has the form that clients parse', () => {
    const text = errorText(record('TOO_LARGE'));
    const { errors } = JSON.parse(text) as { errors: { name: string; message: string }[] };
    expect(errors).toHaveLength(1);
    expect(errors[0]?.name).toBe('TOO_LARGE');
    expect(errors[0]?.message).toMatch(/ \(record 5, byte 120\)$/);
  });

  it('of an unreadable type names the record by its id', () => {
    expect(errorText(record('RECORD_TYPE'))).toBe(
      `{"message":"Error during analyze leader line for determining record type for record with id ${uuidV5(JOB, 'file:4')}"}`,
    );
  });

  it('of a type that the profile does not take names both', () => {
    expect(errorText(record('PROFILE_TYPE', { type: 'H' }))).toBe(
      "Chosen job profile 'Create authorities' does not support 'MARC_HOLDING' record type",
    );
  });

  it.each([
    ['B', 'Instance'],
    ['A', 'MARC-Authority'],
    ['H', 'MARC-Holding'],
    [undefined, 'Instance'],
  ])('of a record of type %s that has ids already says what was not made: %s', (type, thing) => {
    expect(errorText(record('EXISTING_999FF', { type }))).toBe(
      `{"error":"A new ${thing} was not created because the incoming record already contained a 999ff$s or 999ff$i field"}`,
    );
  });

  it('of holdings without a bibliographic record has the words that clients know', () => {
    expect(errorText(record('HOLDINGS_004', { type: 'H' }))).toBe(
      `{"message":"The 004 tag of the Holdings doesn't has a link to the Bibliographic record"}`,
    );
  });
});
