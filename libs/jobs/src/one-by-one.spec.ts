import { oneByOne } from './one-by-one.js';

describe('what is done one by one', () => {
  it('is done for those behind one that fails, and tells of all that failed', async () => {
    const done: string[] = [];
    const turn = oneByOne(['a', 'b', 'c', 'd'], (one) => {
      if (one === 'b' || one === 'c') return Promise.reject(new Error(`no ${one}`));
      done.push(one);
      return Promise.resolve();
    });
    await expect(turn).rejects.toMatchObject({
      message: 'failed for b, c',
      errors: [{ message: 'no b' }, { message: 'no c' }],
    });
    expect(done).toEqual(['a', 'd']);
  });
});
