import { Lanes, type Errand } from './lanes.js';

const NEVER_MS = 3_600_000;
const AWAY = Object.assign(new Error('away'), { transient: true });
const settle = () => new Promise((resolve) => setImmediate(resolve));

function errand(key: string, handle: Errand['handle']): Errand {
  return { key, handle, giveUp: () => Promise.resolve() };
}

describe('lanes that an owner takes back', () => {
  it('forget what waits, and let what is in hand end before the next of its key', async () => {
    const lanes = new Lanes(() => 0);
    const [mine, theirs] = [{}, {}];
    const seen: string[] = [];
    let end: () => void = () => undefined;
    const inHand = lanes.deliver(
      errand('key', () => {
        seen.push('in hand');
        return new Promise<void>((resolve) => (end = resolve));
      }),
      mine,
    );
    const note = (text: string) => errand('key', () => Promise.resolve(void seen.push(text)));
    const waiting = lanes.deliver(note('waiting'), mine);
    lanes.drop(mine);
    expect(await waiting).toBe(false);
    const again = lanes.deliver(note('again'), theirs);
    await settle();
    expect(seen).toEqual(['in hand']);
    end();
    expect([await inHand, await again]).toEqual([true, true]);
    expect(seen).toEqual(['in hand', 'again']);
  });

  it('forget what is in back-off, and the key is free for others', async () => {
    const lanes = new Lanes(() => NEVER_MS);
    const [mine, theirs] = [{}, {}];
    const failing = lanes.deliver(
      errand('key', () => Promise.reject(AWAY)),
      mine,
    );
    const behind = lanes.deliver(
      errand('key', () => Promise.resolve()),
      theirs,
    );
    await settle();
    expect(lanes.oldestTryMs(performance.now() + 5000)).toBeGreaterThan(4900);
    lanes.drop(mine);
    expect(await failing).toBe(false);
    expect(await behind).toBe(true);
    expect(lanes.oldestTryMs(performance.now())).toBe(0);
  });
});
