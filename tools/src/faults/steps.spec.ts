import { SERVICES } from '@quire/contracts/scope';
import { Gate } from './gate.js';
import { PROGRESS, STEPS } from './steps.js';

const nameOf = ({ work, name }: (typeof STEPS)[number]): string => `${work}: ${name}`;

describe('the steps at which services are killed', () => {
  it('have a name each', () => {
    expect(new Set(STEPS.map(nameOf)).size).toBe(STEPS.length);
  });

  it('are seen in the database where nobody holds them', () => {
    const blind = STEPS.filter(({ passes, seen }) => passes && seen === undefined);
    expect(blind.map(nameOf)).toEqual([]);
  });

  it('let the kill of every service be felt at one of them at least', () => {
    const felt = new Set(STEPS.flatMap((step) => step.felt));
    expect([...felt].sort()).toEqual([...SERVICES].sort());
  });

  it('ask the database about one id only', () => {
    const asked = [...STEPS.flatMap(({ seen }) => seen ?? []), ...Object.values(PROGRESS)];
    for (const sql of asked) expect([...new Set(sql.match(/\$\d/g))]).toEqual(['$1']);
  });
});

describe('a gate', () => {
  const TURN = Symbol('a turn of the loop');
  const turn = (): Promise<symbol> => new Promise((done) => setImmediate(() => done(TURN)));

  it('stops work at its moment only, tells with which id, and lets it on for good', async () => {
    const gate = new Gate('uploaded');
    await gate.pass('defined', 'one');
    const stopped = gate.pass('uploaded', 'two');
    expect(await gate.reached).toBe('two');
    expect(await Promise.race([stopped, turn()])).toBe(TURN);
    gate.open();
    await stopped;
    await gate.pass('uploaded', 'three');
  });

  it('of no moment stops nothing', async () => {
    await new Gate().pass('uploaded');
  });
});
