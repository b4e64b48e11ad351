import {
  conflict,
  Failure,
  invalidText,
  notFound,
  refused,
  tooMany,
  unavailable,
} from '@quire/contracts/failure';
import { UnknownTenant, UnreadableEvent } from './event-bus.js';
import { backoffMs, classify, givesUp } from './retry.js';

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
    ['55P03', 'lock not available'],
    ['ECONNREFUSED', 'nobody listens'],
    ['ECONNRESET', 'cut'],
    ['EPIPE', 'cut while writing'],
    ['ETIMEDOUT', 'no answer'],
    ['ENOTFOUND', 'no such host'],
    ['EAI_AGAIN', 'no name service'],
    ['EHOSTUNREACH', 'no way there'],
    ['ERR_STREAM_PREMATURE_CLOSE', 'an answer cut short'],
    ['ENOSPC', 'disk full below the store'],
    ['UND_ERR_SOCKET', 'cut, as undici says it'],
    ['UND_ERR_HEADERS_TIMEOUT', 'no answer, as undici says it'],
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

  it('is transient when a wait was given up', () => {
    expect(classify(new DOMException('too late', 'TimeoutError'))).toBe('transient');
  });

  it('is transient when it wraps what is, as a failed fetch does', () => {
    const cause = new Error('wrapped', { cause: withCode('ECONNRESET') });
    expect(classify(new TypeError('fetch failed', { cause }))).toBe('transient');
  });

  it('is a no also when something transient caused it', () => {
    const cause = withCode('57P01');
    expect(classify(new Failure('conflict', 'ended', 'no', {}, { cause }))).toBe('permanent');
  });

  it('is looked through only so far when it is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(classify(error)).toBe('unknown');
  });

  it('is unknown when a statement ran out of time: it may do so for ever, and its job would never end', () => {
    expect(classify(withCode('57014'))).toBe('unknown');
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

describe('an event', () => {
  it('is never given up while a dependency is away', () => {
    expect(givesUp(withCode('57P01'), 1_000_000, 1e9)).toBe(false);
  });

  it('is given up at once when no retry can help', () => {
    expect(givesUp(notFound('no such job'), 1, 0)).toBe(true);
  });

  it('is given up at the fifth try when nobody knows why it fails', () => {
    const bug = new Error('bug');
    expect([4, 5].map((attempt) => givesUp(bug, attempt, 0))).toEqual([false, true]);
  });

  it('of an unknown tenant is given up after a minute, however often it was tried', () => {
    const unknown = new UnknownTenant('berta');
    expect([0, 59_999, 60_000].map((ms) => givesUp(unknown, 99, ms))).toEqual([false, false, true]);
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
