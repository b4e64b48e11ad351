import { decimalJson, readDecimal } from './decimals.js';

describe('an amount', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [100, '100'],
    [0.1, '0.1'],
    [-5.25, '-5.25'],
    ['12', '12'],
    ['007.5000', '7.5'],
    ['1e3', '1000'],
    ['1.5e-3', '0.0015'],
    ['-0.0', '0'],
    ['0e999', '0'],
    [123456789012345, '123456789012345'],
    [12345678901.2345, '12345678901.2345'],
    [999999999999999, '999999999999999'],
    [decimalJson('12345678901.23450000000'), '12345678901.2345'],
  ])('%p is %s', (value, text) => {
    expect(readDecimal(value)).toEqual({ text });
  });

  it.each([
    [decimalJson('0.1000000000000000001')],
    [1e21],
    [0.00001],
    ['1e-5'],
    [1234567890123456],
    ['123456789012.1234'],
    ['1e500'],
  ])('%p has too many digits', (value) => {
    expect(readDecimal(value)).toBe('too long');
  });

  it.each([
    ['x'],
    [''],
    ['1,5'],
    ['0x10'],
    [' 1'],
    [true],
    [null],
    [[]],
    [{}],
    ['NaN'],
    ['1e9999'],
  ])('%p is no number', (value) => {
    expect(readDecimal(value)).toBe('no number');
  });

  it('is written as a JSON number of any length', () => {
    const json = JSON.stringify({ sum: decimalJson('12345678901234567890.1234') });
    expect(json).toBe('{"sum":12345678901234567890.1234}');
  });
});
