import { testClock } from './clock.js';

describe('a test clock', () => {
  it('stands still until it is moved', () => {
    const clock = testClock();
    expect(clock.now()).toEqual(clock.now());

    clock.advance(1_500);

    expect(clock.now().toISOString()).toBe('2026-01-01T00:00:01.500Z');
  });

  it('hands out dates that a caller may change', () => {
    const clock = testClock(new Date(0));
    clock.now().setTime(99);
    expect(clock.now().getTime()).toBe(0);
  });
});
