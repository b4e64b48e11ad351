import { choose, scoreOf, standingOf, WINDOWS, type Candidate } from './release-score.js';

const candidate = (changes: Partial<Candidate> = {}): Candidate => ({
  tenantId: 'library',
  jobId: 'job',
  waiting: 10,
  released: 0,
  firstWaiting: 0,
  frames: 10_000,
  minutes: 1,
  inOrder: false,
  createdAt: 0,
  ...changes,
});

describe('the score of a waiting job', () => {
  it.each([
    ['age: new', { minutes: 0 }, 0],
    ['age: eight hours less a minute', { minutes: 479 }, 49.98],
    ['age: eight hours', { minutes: 480 }, 10_000],
  ])('%s', (_, changes, part) => {
    const rest = scoreOf(candidate({ minutes: 0 }), 0);
    expect(scoreOf(candidate(changes), 0) - rest).toBeCloseTo(part, 1);
  });

  it.each([
    ['size: nothing', { frames: 0 }, 40],
    ['size: a hundred thousand', { frames: 100_000 }, -40],
    ['size: no less for more', { frames: 9_000_000 }, -40],
  ])('%s', (_, changes, part) => {
    // Of the other parts only the tenant's 100 and the chunk number's 1 are left.
    expect(scoreOf(candidate({ minutes: 0, ...changes }), 0)).toBeCloseTo(101 + part, 6);
  });

  it('falls by 300 with the share of the tenant, and by 1 with the number of the chunk', () => {
    const alone = scoreOf(candidate(), 0);
    expect(alone - scoreOf(candidate(), 1)).toBeCloseTo(300, 6);
    expect(alone - scoreOf(candidate({ firstWaiting: 100 }), 0)).toBeCloseTo(1, 6);
  });
});

describe('the next release', () => {
  const chosen = (...candidates: Candidate[]): [string, number] | undefined => {
    const choice = choose(candidates);
    return choice && [choice.jobId, choice.count];
  };

  it('fills the window of a job that is alone', () => {
    expect(chosen(candidate())).toEqual(['job', WINDOWS.job]);
    expect(chosen(candidate({ waiting: 2 }))).toEqual(['job', 2]);
    expect(chosen(candidate({ released: 3 }))).toEqual(['job', 1]);
  });

  it('is one chunk at a time for a job that is worked in order', () => {
    expect(chosen(candidate({ inOrder: true }))).toEqual(['job', 1]);
    expect(chosen(candidate({ inOrder: true, released: 1 }))).toBeUndefined();
  });

  it('is nothing while the window is full, nothing waits or nobody is there', () => {
    expect(chosen(candidate({ released: 4 }))).toBeUndefined();
    expect(chosen(candidate({ waiting: 0 }))).toBeUndefined();
    expect(chosen()).toBeUndefined();
  });

  it('never exceeds what may be out in total', () => {
    const busy = Array.from({ length: 8 }, (_, index) =>
      candidate({ jobId: `busy ${index}`, tenantId: `t${index}`, waiting: 0, released: 4 }),
    );
    expect(chosen(...busy, candidate())).toBeUndefined();
    const [first, ...others] = busy;
    expect(chosen({ ...first!, released: 2 }, ...others, candidate())).toEqual(['job', 2]);
  });

  it('goes to the small job beside the large one, one chunk at a time', () => {
    const large = candidate({ jobId: 'large', frames: 100_000, minutes: 30 });
    const small = candidate({ jobId: 'small', frames: 50, minutes: 0 });
    expect(chosen(large, small)).toEqual(['small', 1]);
  });

  it('goes to whoever has waited for eight hours', () => {
    const old = candidate({ jobId: 'old', frames: 100_000, minutes: 480 });
    expect(chosen(candidate({ jobId: 'small', frames: 1 }), old)).toEqual(['old', 1]);
  });

  it('goes to the tenant that has less out', () => {
    const out = candidate({ jobId: 'out', released: 4 });
    const same = candidate({ jobId: 'same' });
    const other = candidate({ jobId: 'other', tenantId: 'archive', frames: 100_000 });
    expect(chosen(out, same, other)).toEqual(['other', 1]);
  });

  it('goes to the older of two that are alike', () => {
    const [older, newer] = [1, 2].map((createdAt) =>
      candidate({ jobId: `${createdAt}`, createdAt }),
    );
    expect(chosen(newer!, older!)).toEqual(['1', 1]);
  });

  describe('for a tenant at its window', () => {
    const out = (count: number, released = 4): Candidate[] =>
      Array.from({ length: count }, (_, index) =>
        candidate({ jobId: `o${index}`, waiting: 0, released }),
      );

    it('goes on while no other tenant waits', () => {
      expect(chosen(...out(2), candidate({ jobId: 'third' }))).toEqual(['third', 4]);
    });

    it('waits while another one waits', () => {
      const other = candidate({ jobId: 'other', tenantId: 'archive', frames: 100_000 });
      const old = candidate({ jobId: 'old', minutes: 480 });
      expect(chosen(...out(2), old, other)).toEqual(['other', 4]);
    });

    it('gives what is left of the window, not more, while another one waits', () => {
      const full = [4, 4].map((released, index) =>
        candidate({ jobId: `a${index}`, tenantId: 'archive', waiting: 0, released }),
      );
      const waiting = candidate({ jobId: 'a2', tenantId: 'archive' });
      expect(chosen(...full, waiting, ...out(2, 3), candidate({ jobId: 'mine' }))).toEqual([
        'mine',
        2,
      ]);
    });
  });
});

describe('where a waiting job stands', () => {
  const mine = candidate({ jobId: 'mine', createdAt: 5 });
  const other = { tenantId: 'archive', jobId: 'other' };

  it('is counted among the jobs of its own tenant, never among those of others', () => {
    const smaller = candidate({ jobId: 'smaller', frames: 10 });
    const theirs = Array.from({ length: 7 }, (_, index) =>
      candidate({ ...other, jobId: `o${index}`, frames: 1, minutes: 480 }),
    );
    expect(standingOf('mine', [mine, ...theirs])?.position).toBe(1);
    expect(standingOf('mine', [mine, smaller, ...theirs])?.position).toBe(2);
    expect(standingOf('mine', [mine, candidate({ createdAt: 4 }), ...theirs])?.position).toBe(2);
  });

  it('is nowhere when nothing of it waits', () => {
    expect(standingOf('mine', [candidate({ jobId: 'mine', waiting: 0, released: 1 })])).toBe(
      undefined,
    );
    expect(standingOf('mine', [])).toBe(undefined);
  });

  it.each([
    ['its own window', 'OWN_WINDOW', [candidate({ jobId: 'mine', released: WINDOWS.job })]],
    [
      'its own window, of one when it goes in order',
      'OWN_WINDOW',
      [candidate({ jobId: 'mine', released: 1, inOrder: true })],
    ],
    [
      "the tenant's window while another tenant waits",
      'TENANT_WINDOW',
      [mine, candidate({ released: WINDOWS.tenant }), candidate(other)],
    ],
    ['nothing while no other tenant waits', 'TURN', [mine, candidate({ released: 8 })]],
    ['the window of all', 'TOTAL_WINDOW', [mine, candidate({ ...other, released: WINDOWS.total })]],
  ])('says that it waits for %s', (_, reason, candidates) => {
    expect(standingOf('mine', candidates)?.reason).toBe(reason);
  });

  it('has the score by which it is chosen, and its parts', () => {
    const standing = standingOf('mine', [mine, candidate({ ...other, released: 3 })]);
    expect(standing?.score).toBe(scoreOf(mine, 0));
    expect(standing?.parts.tenantUsage).toBe(100);
  });
});
