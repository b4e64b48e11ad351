import { Progress } from './kafka-progress.js';

describe('how far a group has come in a partition', () => {
  it('is the lowest message that has not ended, in whatever order they end', () => {
    const part = new Progress('topic', 0);
    for (const offset of [5n, 6n, 7n, 9n]) part.take(offset);
    const positions = [7n, 5n, 9n, 6n].map((offset) => {
      part.finish(offset);
      return part.position;
    });
    expect(positions).toEqual([5n, 6n, 6n, 10n]);
  });

  it('is due until it was committed, and nowhere before the first message', () => {
    const part = new Progress('topic', 0);
    expect([part.position, part.isDue]).toEqual([undefined, false]);
    part.take(3n);
    part.finish(3n);
    expect(part.isDue).toBe(true);
    part.committed = part.position;
    expect(part.isDue).toBe(false);
  });
});
