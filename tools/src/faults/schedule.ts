import { SERVICES, type ServiceName } from '@quire/contracts/scope';

/*
 * What happens to the processes of one run, and when: drawn from a seed alone, so that a run which found something can be run again.
 */
export type Fault =
  | {
      /** kill: SIGKILL. term: SIGTERM. cut: SIGTERM, and SIGKILL before it has ended. freeze: SIGSTOP, then SIGCONT. */
      readonly kind: 'kill' | 'term' | 'cut' | 'freeze';
      readonly service: ServiceName;
      readonly replica: number;
    }
  /** SIGKILL; `stop` asks it to end first. */
  | { readonly kind: 'kill' | 'stop'; readonly engine: Engine };

export const ENGINES = ['broker', 'store', 'database'] as const;
export type Engine = (typeof ENGINES)[number];

export interface Strike {
  /** After the work has begun. */
  readonly atMs: number;
  /** Until what was hit is started or continued again. */
  readonly lastsMs: number;
  readonly fault: Fault;
}

const STRIKES = { least: 3, most: 6 };
/** The work of a run takes longer than this, and goes on after it. */
const WITHIN_MS = 12_000;
/** Of what is not frozen. */
const LASTS_MS = { least: 300, most: 5000 };
/** Longer than lease and session, so that a frozen process wakes up in a world that went on without it. */
const FREEZE_MS = { least: 500, most: 15_000 };
/** Of a hundred strikes so many hit an engine. */
const ENGINE_SHARE = 35;

/** @param replicas of each service @returns in the order of time; two that hit the same thing do not overlap */
export function scheduleOf(seed: number, replicas: number): Strike[] {
  const draw = new Draw(seed);
  const strikes: Strike[] = [];
  const busyUntil = new Map<string, number>();
  const count = draw.between(STRIKES.least, STRIKES.most);
  const moments = Array.from({ length: count }, () => draw.between(0, WITHIN_MS));
  for (const atMs of moments.sort((one, other) => one - other)) {
    const fault = faultOf(draw, replicas);
    const { least, most } = fault.kind === 'freeze' ? FREEZE_MS : LASTS_MS;
    const lastsMs = draw.between(least, most);
    const hit = targetOf(fault);
    if ((busyUntil.get(hit) ?? -1) >= atMs) continue;
    busyUntil.set(hit, atMs + lastsMs);
    strikes.push({
      atMs,
      lastsMs,
      fault: isCut(fault, lastsMs) ? { ...fault, kind: 'cut' } : fault,
    });
  }
  return strikes;
}

/** Half of those that are asked to end are given a second for it. Not drawn: the seeds keep the strikes they had. */
function isCut(fault: Fault, lastsMs: number): fault is Exclude<Fault, { engine: Engine }> {
  return fault.kind === 'term' && lastsMs % 2 === 0;
}

function faultOf(draw: Draw, replicas: number): Fault {
  if (draw.between(0, 99) < ENGINE_SHARE)
    return { kind: draw.of(['kill', 'stop']), engine: draw.of(ENGINES) };
  const kind = draw.of(['kill', 'kill', 'term', 'freeze'] as const);
  return { kind, service: draw.of(SERVICES), replica: draw.between(0, replicas - 1) };
}

/** What it hits, for people. */
export function targetOf(fault: Fault): string {
  return 'engine' in fault ? fault.engine : `${fault.service}-${fault.replica}`;
}

export function describeStrike({ atMs, lastsMs, fault }: Strike): string {
  return `${fault.kind} ${targetOf(fault)} at ${seconds(atMs)} for ${seconds(lastsMs)}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Park and Miller's generator, after a few steps that part seeds which lie close together. */
class Draw {
  private state: number;

  constructor(seed: number) {
    this.state = seed % 2_147_483_647 || 1;
    for (let step = 0; step < 5; step += 1) this.next();
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new Error('There is nothing to draw from.');
    return item;
  }

  private next(): number {
    this.state = (this.state * 48_271) % 2_147_483_647;
    return (this.state - 1) / 2_147_483_646;
  }
}
