import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import type { Checks } from './checks.js';
import {
  checkExport,
  checkGroups,
  checkImport,
  Findings,
  settled,
  type Wanted,
} from './findings.js';
import { Gate, type Moment } from './gate.js';
import type { PatientClient } from './patient-client.js';
import type { Stage } from './stage.js';
import { concerns, PROGRESS, STEPS, type Step } from './steps.js';
import { exportFile, failedRecords, importCounts, importFile, makeGroup } from './workload.js';

/*
 * Kills every replica of one service while a job is at one step, starts them again, and sees the job to its end. Jobs that wait
 * for their client do so side by side and share one kill; each of the others has its own.
 */
const LOOK_MS = 2;
const WATCH_MS = 25;
/** Until a job is where it is to be hit. */
const REACH_MS = 90_000;
/** A job that was faster than the kill is run again. */
const TRIES = 5;
/** From the kill: progress within 90 s of the fault being over (P1), and these jobs take seconds. */
const END_MS = 90_000;
/**
 * Once the service is ready again its work goes on within this time: the promised 40 s (reliability, section 1), less what the
 * stage takes off the lease of 30 s and the sweep of 5 s; a chunk waits for the session of its dead consumer instead.
 */
const RESUME_MS = 40_000;

/** Who stops in the middle of a body or an answer is given up after 30 s, so these are brought to their steps last. */
const TURNS: Readonly<Partial<Record<Moment, number>>> = {
  'half downloaded': 1,
  'half uploaded': 2,
  'logging in': 2,
};

export interface StepMaterial {
  readonly client: PatientClient;
  readonly imports: Readonly<Record<NonNullable<Step['of']> | 'much', ImportMaterial>>;
  readonly exports: Readonly<Record<'little' | 'much', ExportMaterial>>;
}

export interface ExportMaterial {
  readonly ids: readonly { readonly id: string }[];
  /** As a calm export wrote the file. */
  readonly sha256: string;
}

export interface ImportMaterial extends Wanted {
  readonly file: string;
  /** File of the records that fail. */
  readonly failedFile?: string;
}

export interface Cell {
  readonly step: Step;
  readonly service: ServiceName;
  readonly findings: Findings;
  /** From the kill to the end of the work. */
  readonly seconds: number;
  /** From the kill until the services went on with a job that they had in hand. */
  readonly movedSeconds?: number;
}

/** One job on its way to a step. */
class Walk {
  readonly findings = new Findings();
  private readonly client: PatientClient;
  hasEnded = false;
  private id = '';
  private askedBefore = 0;
  /** Resolves when its work has ended, well or not. */
  done = Promise.resolve();
  private readonly gate: Gate;

  constructor(
    readonly step: Step,
    private readonly material: StepMaterial,
    private readonly checks: Checks,
  ) {
    this.gate = new Gate(step.at);
    this.client = material.client.sibling();
  }

  begin(): void {
    this.done = settled(this.work(), this.findings).then(() => {
      this.findings.notes.push(...this.client.faults);
      this.hasEnded = true;
    });
  }

  /** @returns false: it was past it before anybody saw it there */
  async isThere(): Promise<boolean> {
    const id = await Promise.race([this.gate.reached, this.done]);
    if (id === undefined) return false;
    this.id = id;
    if (this.step.passes) this.gate.open();
    const giveUpAt = performance.now() + REACH_MS;
    while (!(await this.isSeen())) {
      if (this.hasEnded) return false;
      if (performance.now() > giveUpAt) {
        this.findings.notes.push('it did not come so far');
        return false;
      }
      await delay(LOOK_MS);
    }
    return true;
  }

  private async isSeen(): Promise<boolean> {
    const { seen } = this.step;
    return seen === undefined || (await this.checks.look(seen, this.id)) === true;
  }

  goOn(): void {
    this.gate.open();
  }

  beforeKill(): void {
    this.askedBefore = this.client.askedAgain;
  }

  /** What the dead processes had in hand lies there as they left it. */
  async isHit(service: ServiceName): Promise<boolean> {
    const { passes, felt } = this.step;
    return !passes || !felt.includes(service) || this.isSeen();
  }

  /** A client that waits in the middle of an answer cannot but ask again. */
  hasFelt(service: ServiceName): boolean {
    const { passes, felt } = this.step;
    return passes === true || !felt.includes(service) || this.client.askedAgain > this.askedBefore;
  }

  /** Resolves when the services have gone on with what they had in hand, or it has ended. @returns false: they had nothing */
  async moved(): Promise<boolean> {
    const sql = PROGRESS[this.step.work];
    if (!this.step.passes || sql === undefined) return false;
    const before = await this.checks.look(sql, this.id);
    while (!this.hasEnded && (await this.checks.look(sql, this.id)) === before)
      await delay(WATCH_MS);
    return true;
  }

  private async work(): Promise<void> {
    const { client, gate, checks, findings, material } = this;
    if (this.step.work === 'import') return this.import();
    if (this.step.work === 'group')
      return checkGroups(checks, [await makeGroup(client, 2, gate)], findings);
    const { ids, sha256 } = material.exports[this.step.of === 'little' ? 'little' : 'much'];
    const job = await exportFile(client, ids, gate);
    await checkExport(checks, job, { records: ids.length, sha256 }, findings);
  }

  private async import(): Promise<void> {
    const { client, gate, checks, findings, step, material } = this;
    if (step.at === 'logging in') await client.logIn(gate);
    const wanted = material.imports[step.of ?? 'much'];
    const job = await importFile(client, wanted.file, gate);
    await checkImport(checks, job, wanted, findings);
    const { created, failed } = await importCounts(client, job.jobId);
    if (created + failed !== wanted.records || failed !== (wanted.failed ?? 0))
      findings.notes.push(`import ${job.jobId}: ${created} created, ${failed} failed`);
    if (wanted.failedFile === undefined) return;
    const received = await failedRecords(client, job.jobId, gate);
    if (!received.equals(await readFile(wanted.failedFile)))
      findings.notes.push(`import ${job.jobId}: other failed records than were sent`);
  }
}

/** @returns what became of each step, as they come */
export async function* stepRuns(
  stage: Stage,
  material: StepMaterial,
  checks: Checks,
  services: readonly ServiceName[] = SERVICES,
): AsyncGenerator<Cell> {
  for (const service of services) {
    const steps = STEPS.filter((step) => concerns(service, step));
    const standing = steps.filter(({ passes }) => !passes);
    yield* await struck(stage, service, () =>
      standing.map((step) => new Walk(step, material, checks)),
    );
    for (const step of steps.filter(({ passes }) => passes))
      yield* await struck(stage, service, () => [new Walk(step, material, checks)]);
  }
}

/** One kill of a service, for as many jobs as are at their steps. */
async function struck(stage: Stage, service: ServiceName, begin: () => Walk[]): Promise<Cell[]> {
  for (let tried = 1; ; tried += 1) {
    const { cells, wasInTime } = await kill(stage, service, begin());
    if (!wasInTime && tried === TRIES)
      cells[0]?.findings.notes.push(`${TRIES} jobs were past their step when the kill came`);
    if (wasInTime || cells.some(({ findings }) => !findings.isGood)) return cells;
  }
}

/** What the outcome of each job is measured by. */
interface Kill {
  readonly service: ServiceName;
  readonly seconds: () => number;
  /** Seconds until the service was ready again. */
  readonly ready: Promise<number>;
  readonly resumeMs: (step: Step) => number;
}

/** @returns with `wasInTime` false: a job had left its step before the kill */
async function kill(
  stage: Stage,
  service: ServiceName,
  walks: readonly Walk[],
): Promise<{ readonly cells: Cell[]; readonly wasInTime: boolean }> {
  const locks = new AsyncDisposableStack();
  for (const { step } of walks) if (step.locked) locks.use(await stage.lock(step.locked));
  const allThere = await brought(walks);
  const since = performance.now();
  const seconds = (): number => (performance.now() - since) / 1000;
  for (const walk of walks) walk.beforeKill();
  await stage.killAll(service);
  const hit = await Promise.all(walks.map((walk) => walk.isHit(service)));
  await locks.disposeAsync();
  const ready = stage.startAgain(service).then(seconds);
  const struckBy = { service, seconds, ready, resumeMs: (step: Step) => resumeMs(step, stage) };
  const cells = await Promise.all(walks.map((walk) => outcome(walk, struckBy)));
  for (const name of await stage.fleet.restartEnded())
    cells[0]?.findings.notes.push(`${name} ended by itself`);
  return { cells, wasInTime: allThere && hit.every(Boolean) };
}

/** @returns whether every one was seen at its step */
async function brought(walks: readonly Walk[]): Promise<boolean> {
  let allThere = true;
  for (const turn of [0, 1, 2]) {
    const next = walks.filter(({ step }) => (TURNS[step.at] ?? 0) === turn);
    for (const walk of next) walk.begin();
    const there = await Promise.all(next.map((walk) => walk.isThere()));
    allThere &&= there.every(Boolean);
  }
  return allThere;
}

async function outcome(walk: Walk, { service, seconds, ready, resumeMs }: Kill): Promise<Cell> {
  const { step, findings } = walk;
  const moving = walk.moved().then((isToMove) => (isToMove ? seconds() : undefined));
  walk.goOn();
  await walk.done;
  const endedAfter = seconds();
  const readyAfter = await ready;
  const movedAfter = await moving;
  if (endedAfter * 1000 > END_MS) findings.notes.push(`ended after ${endedAfter.toFixed(0)} s`);
  if (movedAfter !== undefined && (movedAfter - readyAfter) * 1000 > resumeMs(step))
    findings.notes.push(`stood still for ${movedAfter.toFixed(0)} s`);
  if (!walk.hasFelt(service)) findings.notes.push('the client noticed nothing of the kill');
  const moved = movedAfter === undefined ? {} : { movedSeconds: movedAfter };
  return { step, service, findings, seconds: endedAfter, ...moved };
}

function resumeMs({ work }: Step, { savedMs }: Stage): number {
  return work === 'export' ? RESUME_MS - savedMs : RESUME_MS;
}
