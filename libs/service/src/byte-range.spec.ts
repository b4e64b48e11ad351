import { rangeOf } from './byte-range.js';

const part = (start: number, end: number) => ({ kind: 'part', start, end });

describe('the range of a download', () => {
  it.each([
    ['bytes=0-0', part(0, 1)],
    ['bytes=2-5', part(2, 6)],
    ['bytes=5-', part(5, 10)],
    ['bytes=-3', part(7, 10)],
    ['bytes=-30', part(0, 10)],
    ['bytes=8-100', part(8, 10)],
    ['bytes=10-', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=5-2', { kind: 'whole' }],
    ['bytes=0-1,3-4', { kind: 'whole' }],
    ['lines=0-1', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    [undefined, { kind: 'whole' }],
  ])('%s of ten bytes', (header, asked) => {
    expect(rangeOf(header, 10)).toEqual(asked);
  });

  it('nothing of an empty file can be served', () => {
    expect(rangeOf('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(rangeOf(undefined, 0)).toEqual({ kind: 'whole' });
  });
});
