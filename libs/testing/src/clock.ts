/** A clock that stands still until a test moves it. */
export interface TestClock {
  now(): Date;
  /** Negative values turn it back. */
  advance(ms: number): void;
}

/** Starts at a round moment, so that times in failing assertions are easy to read. */
export function testClock(start = new Date('2026-01-01T00:00:00.000Z')): TestClock {
  let nowMs = start.getTime();
  return {
    now: () => new Date(nowMs),
    advance: (ms) => {
      nowMs += ms;
    },
  };
}
