import type { Log } from '@quire/contracts/log';
import { Background } from './background.js';

const NEVER_MS = 2_000_000_000;

/** A log that keeps what was warned of. */
function keptLog(): Log & { readonly warnings: object[] } {
  const warnings: object[] = [];
  const nothing = () => undefined;
  return { warnings, info: nothing, error: nothing, warn: (fields) => void warnings.push(fields) };
}

/** Work whose turns begin by themselves and end when the test says so. */
function heldWork() {
  let begin = Promise.withResolvers<void>();
  const turns: PromiseWithResolvers<void>[] = [];
  return {
    turns,
    work: (): Promise<void> => {
      const turn = Promise.withResolvers<void>();
      turns.push(turn);
      begin.resolve();
      return turn.promise;
    },
    /** Resolves when the turn of that number, from 1, has begun. */
    async begun(number: number): Promise<PromiseWithResolvers<void>> {
      while (turns.length < number) {
        begin = Promise.withResolvers();
        await begin.promise;
      }
      return turns[number - 1]!;
    },
  };
}

const loop = (work: () => Promise<void>, everyMs = NEVER_MS, log = keptLog()) =>
  new Background({ name: 'spec', everyMs, work, log });

describe('a background loop', () => {
  it('takes a turn at its start, and none before', async () => {
    const held = heldWork();
    await using background = loop(held.work);
    background.wake();
    expect(held.turns).toHaveLength(0);
    background.start();
    (await held.begun(1)).resolve();
  });

  it('takes one more turn, not two at once, however often it is woken during one', async () => {
    const held = heldWork();
    await using background = loop(held.work);
    background.start();
    const first = await held.begun(1);
    background.wake();
    background.wake();
    expect(held.turns).toHaveLength(1);
    first.resolve();
    (await held.begun(2)).resolve();
    await background.stop();
    expect(held.turns).toHaveLength(2);
  });

  it('loses no wake, in whichever moment it comes', async () => {
    for (let moment = 0; moment < 12; moment += 1) {
      const held = heldWork();
      await using background = loop(held.work);
      background.start();
      (await held.begun(1)).resolve();
      for (let step = 0; step < moment; step += 1) await Promise.resolve();
      background.wake();
      (await held.begun(2)).resolve();
    }
  });

  it('takes turns by itself, as often as it was told to', async () => {
    const held = heldWork();
    await using background = loop(held.work, 1);
    background.start();
    for (const number of [1, 2, 3]) (await held.begun(number)).resolve();
    const last = background.stop();
    held.turns.forEach((turn) => turn.resolve());
    await last;
  });

  it('pauses for less when its work says so', async () => {
    const held = heldWork();
    await using background = loop(() => {
      if (held.turns.length === 0) background.pauseOnly(1);
      return held.work();
    });
    background.start();
    (await held.begun(1)).resolve();
    (await held.begun(2)).resolve();
  });

  it('logs a turn that fails, and takes the next', async () => {
    const log = keptLog();
    const held = heldWork();
    await using background = loop(held.work, 1, log);
    background.start();
    (await held.begun(1)).reject(new Error('no database'));
    await held.begun(2);
    expect(log.warnings).toEqual([{ err: new Error('no database'), loop: 'spec' }]);
    held.turns[1]?.resolve();
  });

  it('survives work that throws before it returns a promise', async () => {
    let turns = 0;
    const again = Promise.withResolvers<void>();
    await using background = loop(() => {
      turns += 1;
      if (turns === 1) throw new Error('at once');
      again.resolve();
      return Promise.resolve();
    });
    background.start();
    background.wake();
    await again.promise;
  });

  it('stops when the turn in hand has ended, without another', async () => {
    const held = heldWork();
    const background = loop(held.work);
    background.start();
    const first = await held.begun(1);
    background.wake();
    let stopped = false;
    const stop = background.stop().then(() => {
      stopped = true;
    });
    await Promise.resolve();
    expect(stopped).toBe(false);
    first.resolve();
    await stop;
    background.wake();
    expect(held.turns).toHaveLength(1);
  });

  it('says nothing of a turn that fails because it stops', async () => {
    const log = keptLog();
    const held = heldWork();
    const background = loop(held.work, NEVER_MS, log);
    background.start();
    const first = await held.begun(1);
    const stop = background.stop();
    first.reject(new Error('connection ended'));
    await stop;
    expect(log.warnings).toEqual([]);
  });

  it('can be started again', async () => {
    const held = heldWork();
    await using background = loop(held.work);
    background.start();
    (await held.begun(1)).resolve();
    await background.stop();
    background.start();
    (await held.begun(2)).resolve();
  });
});
