import {
  conflict,
  invalidText,
  notFound,
  refused,
  tooMany,
  unavailable,
} from '@quire/contracts/failure';
import { UnreadableEvent } from './event-bus.js';
import { backoffMs, classify } from './retry.js';

const withCode = (code: string) => Object.assign(new Error('broken'), { code });

describe('what a handler threw', () => {
  it.each([
    ['08006', 'connection failure'],
    ['08P01', 'protocol violation'],
    ['40001', 'serialization failure'],
    ['40P01', 'deadlock'],
    ['53100', 'disk full'],
    ['53300', 'too many connections'],
    ['57P01', 'admin shutdown'],
    ['57P03', 'cannot connect now'],
    ['57014', 'statement time-out'],
    ['55P03', 'lock not available'],
    ['ECONNREFUSED', 'nobody listens'],
    ['ECONNRESET', 'cut'],
    ['EPIPE', 'cut while writing'],
    ['ETIMEDOUT', 'no answer'],
    ['ENOTFOUND', 'no such host'],
    ['EAI_AGAIN', 'no name service'],
    ['UND_ERR_SOCKET', 'cut, as undici says it'],
  ])('is transient with code %s (%s)', (code) => {
    expect(classify(withCode(code))).toBe('transient');
  });

  it.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Client has encountered a connection error and is not queryable',
    'Query read timeout',
  ])('is transient when node-postgres says: %s', (message) => {
    expect(classify(new Error(message))).toBe('transient');
  });

  it('is transient when it says so itself, as an object store does', () => {
    expect(classify(Object.assign(new Error('503'), { transient: true }))).toBe('transient');
    expect(classify(Object.assign(new Error('404'), { transient: false }))).toBe('unknown');
  });

  it('is transient when another service is not available, or has enough to do', () => {
    expect(classify(unavailable(1))).toBe('transient');
    expect(classify(tooMany(1))).toBe('transient');
  });

  it.each([refused('no'), invalidText('no'), notFound('no'), conflict('no')])(
    'is permanent when it is a no: $kind',
    (failure) => {
      expect(classify(failure)).toBe('permanent');
    },
  );

  it('is permanent when the event cannot be read', () => {
    expect(classify(new UnreadableEvent('NOT_JSON', 'The payload is not JSON.'))).toBe('permanent');
  });

  it.each([
    new Error('surprise'),
    new TypeError("Cannot read properties of undefined (reading 'id')"),
    withCode('23505'),
    withCode('42P01'),
    withCode('22012'),
    withCode('ENOENT'),
    'a text',
    undefined,
    null,
    7,
  ])('is unknown otherwise: %s', (error) => {
    expect(classify(error)).toBe('unknown');
  });
});

describe('the wait before another try', () => {
  const longest = (attempt: number) => backoffMs(attempt, () => 1);

  it('doubles up to 30 seconds', () => {
    expect([1, 2, 3, 4].map(longest)).toEqual([400, 800, 1600, 3200]);
    expect([7, 8, 9, 20, 2000].map(longest)).toEqual([25_600, 30_000, 30_000, 30_000, 30_000]);
  });

  it('is anything between nothing and that', () => {
    expect(backoffMs(3, () => 0)).toBe(0);
    expect(backoffMs(3, () => 0.25)).toBe(400);
    const waits = Array.from({ length: 100 }, () => backoffMs(3));
    expect(Math.max(...waits)).toBeLessThan(1600);
    expect(new Set(waits).size).toBeGreaterThan(90);
  });
});
