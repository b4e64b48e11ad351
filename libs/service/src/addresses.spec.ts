import { Addresses, Tries } from './addresses.js';

const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });

describe('the addresses of a service', () => {
  it('are asked by turns, each service for itself', () => {
    const addresses = new Addresses({ 'data-export': 'http://a,http://b', gateway: 'http://c' });
    expect(addresses.of('data-export')).toEqual(['http://a', 'http://b']);
    expect(addresses.of('data-export')).toEqual(['http://b', 'http://a']);
    expect(addresses.of('gateway')).toEqual(['http://c']);
    expect(addresses.of('data-export')[0]).toBe('http://a');
    expect(addresses.of('finance-storage')).toEqual([]);
  });

  it('are asked last while they leave', () => {
    const addresses = new Addresses({ 'data-export': 'http://a,http://b,http://c' });
    addresses.leaves('http://a');
    const asked = Array.from({ length: 3 }, () => addresses.of('data-export').join(' '));
    expect(asked).toEqual([
      'http://b http://c http://a',
      'http://b http://c http://a',
      'http://c http://b http://a',
    ]);
  });
});

describe('the tries of a request', () => {
  const run = (addresses: string[], repeatable: boolean, errors: Error[]): string[] => {
    const tries = new Tries(addresses, repeatable);
    const asked = [tries.address];
    for (const error of errors) {
      if (!tries.goesOn(error)) return asked;
      asked.push(tries.address);
    }
    return asked;
  };

  it('go to every address while nobody takes the connection, and twice to an only one', () => {
    expect(run(['a', 'b', 'c'], false, [refused, refused, refused, refused])).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(run(['a'], false, [refused, refused])).toEqual(['a', 'a']);
  });

  it('repeat a read once after a reset, and never a write', () => {
    expect(run(['a', 'b'], true, [reset, reset])).toEqual(['a', 'b']);
    expect(run(['a', 'b'], false, [reset])).toEqual(['a']);
    expect(run(['a', 'b'], true, [refused, reset])).toEqual(['a', 'b', 'a']);
  });

  it('end with any other error', () => {
    expect(run(['a', 'b'], true, [new Error('aborted')])).toEqual(['a']);
  });
});
