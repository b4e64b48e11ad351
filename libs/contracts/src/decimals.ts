/**
 * Amounts of money are exact decimals, kept and passed as text; a JSON number of at most 15 digits is read by JavaScript
 * without loss, a longer one must come as it was written, for rounding could make a short one of it (conventions, section 9).
 */
const DIGITS_MAX = 15;
const DECIMALS_MAX = 4;
/** Not yet among the types of the language. */
const RAW = JSON as unknown as {
  rawJSON: (text: string) => unknown;
  isRawJSON: (value: unknown) => value is { readonly rawJSON: string };
};
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** @param sent of a body: a number, or a text that holds exactly one */
export function readDecimal(sent: unknown): { text: string } | 'no number' | 'too long' {
  const value = RAW.isRawJSON(sent) ? sent.rawJSON : sent;
  if (typeof value !== 'number' && typeof value !== 'string') return 'no number';
  const parts = NUMBER.exec(String(value));
  if (!parts) return 'no number';
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const point = whole.length + Number(exponent);
  // Zeros that a far exponent stands for are digits too, but need not be written out to be too many.
  if (Math.abs(point) > 1000) return /^0*$/.test(whole + fraction) ? { text: '0' } : 'too long';
  const digits = (whole + fraction)
    .padEnd(point, '0')
    .padStart(whole.length + fraction.length - Math.min(point, 0), '0');
  const at = Math.max(point, 0);
  const before = digits.slice(0, at).replace(/^0+/, '');
  const after = digits.slice(at).replace(/0+$/, '');
  if (after.length > DECIMALS_MAX || before.length + after.length > DIGITS_MAX) return 'too long';
  const text = `${before || '0'}${after === '' ? '' : `.${after}`}`;
  return { text: text === '0' ? text : sign + text };
}

/** A decimal's text as a JSON number, whatever its length: it goes into `JSON.stringify` as it is. */
export const decimalJson = (text: string): unknown => RAW.rawJSON(text);
