import { unavailable } from '@quire/contracts/failure';
import type { Log } from '@quire/contracts/log';
import { apart, type Task } from './apart.js';

describe('tasks of a sweep', () => {
  const run = async (errors: readonly (Error | undefined)[]): Promise<[string[], string[]]> => {
    const [done, said]: [string[], string[]] = [[], []];
    const say = (fields: object): void => void said.push((fields as { of: string }).of);
    const log: Log = { info: say, warn: say, error: say };
    const tasks = errors.map((error, at): Task => [
      String(at),
      () => {
        if (error) return Promise.reject(error);
        done.push(String(at));
        return Promise.resolve();
      },
    ]);
    expect(await apart(log, 'task', tasks)).toBe(done.length);
    return [done, said];
  };
  const broken = new Error('broken');
  const away = unavailable(5);

  it('are done although those before them failed, which the log says', async () => {
    const errors = [broken, undefined, broken, broken, broken, broken, undefined];
    expect(await run(errors)).toEqual([
      ['1', '6'],
      ['0', '2', '3', '4', '5'],
    ]);
  });

  it('wait for the next sweep when what they need is away', async () => {
    expect(await run([away, away, away, undefined])).toEqual([[], ['0', '1', '2']]);
  });

  it('go on when only some of what they need is away', async () => {
    expect(await run([away, away, broken, away, away, undefined])).toEqual([
      ['5'],
      ['0', '1', '2', '3', '4'],
    ]);
  });
});
