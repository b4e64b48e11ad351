import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { uuidV5 } from '@quire/contracts/ids';
import type { QuireClient } from '@quire/quire/cli/client';
import type { BenchLine } from './codec.bench.js';
import { fillFinance } from './finance-rows.js';
import { MAIN, QuireProcess } from './quire-process.js';

/*
 * finance-storage with a million group-fund-fiscal-years: the first page of every query of finance-storage 6.1 and 7, as a
 * client gets it through the gateway, with its count. Then reads by id, against Fastify and pg alone on the same table.
 */
const GOAL_MS = 50;
const GOAL_RATIO = 0.5;
const WARM_UPS = 5;
/** The p99 is the third slowest. */
const TRIES = 200;
/** A slow query is not asked longer than this: all of them take less than five minutes. */
const PATIENCE_MS = 15_000;
const READERS = 16;
const ROUND_MS = 5_000;
const ROUNDS = 3;
/** Until the compiler has seen the way often enough, which takes some 15 s. */
const WARM_ROUNDS = 3;

const BARE = fileURLToPath(new URL('./bare-finance.js', import.meta.url));
const PATH = '/finance-storage/group-fund-fiscal-years';
const SAMPLES = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const sampleId = (path: string, key: string): string =>
  uuidV5(SAMPLES, `https://quire.example/sample/${path}/${key}`);
const AFRICA = sampleId('funds', 'H-AFR');

const QUERIES: readonly string[] = [
  'cql.allRecords=1',
  'group.name==History',
  'group.name==history',
  'group.name==Hist*',
  'fiscalYear.code==FY202?',
  'fund.name=="*History*"',
  'budget.budgetStatus==(Active or Closed)',
  'budgetId=""',
  'fiscalYear.periodEnd <= 2026-12-31',
  'groupId<>not-a-uuid',
  'group.name==History or fund.code==X',
  'group.name==NonExistent',
  'group.code==SCI',
  'fiscalYear.code==NonExistent',
  'fund.code==NonExistent',
  'fund.name==European',
  'fundType.name==NonExistent',
  'ledger.ledgerStatus==Frozen',
  'budgetId==""',
  'group.name == History and fund.fundStatus == Active and fiscalYear.periodEnd < 2020-01-01 and fundType.name == Monographs and ledger.name == One-time',
  'fundId==not-a-uuid',
  'fiscalYear.code==FY2026',
  'fund.fundStatus==Active',
  'ledger.name==One-time',
  'group.name==History and fiscalYear.code==FY2026',
  'fiscalYear.periodEnd > 2025-12-31',
  'fiscalYear.code==FY2025',
  'fund.fundStatus==Inactive',
  'fund.name=="European History"',
  'fundType.name==Monographs and ledger.name=="Main Library"',
  'ledger.name=="Main Library"',
  'budget.budgetStatus==Closed',
  'budget.name==H-AFR-FY2025',
  `budgetId==${sampleId('budgets', 'H-AFR-FY2026')}`,
  'group.code==HIST and fiscalYear.periodEnd < 2027-01-01 and fund.fundStatus==Inactive and ledger.name==One-time',
  'fiscalYear.periodEnd < 2026-01-01',
  'fiscalYear.periodEnd == 2025',
  'group.name == History and fund.fundStatus == Active and fiscalYear.periodEnd < 2027-01-01 and fundType.name == Monographs and ledger.name == "Main Library"',
  `fundId==${AFRICA} and fiscalYearId==${sampleId('fiscal-years', 'FY2025')}`,
  'fund.name=European',
  'fund.name="european history"',
  'fund.externalAccountNo==9-H-AFR',
  'fundType.name==Approvals',
  'group.code==HIST and fundType.name==Approvals and ledger.name==One-time',
  `fundId==${AFRICA}`,
  'fund.code==H-AFR or fund.code==H-EUR and fiscalYear.code==FY2026',
  'fund.code==(H-AFR or H-EUR) not fiscalYear.code==FY2025',
  'fundType.name=*',
  'cql.allRecords=1 NOT fundType.name=*',
];

export async function financeBench(): Promise<BenchLine[]> {
  await using quire = await QuireProcess.start(MAIN, { QUIRE_SAMPLE: 'true' });
  const ids = await fillFinance(quire.databaseUrl);
  const client = await quire.client();
  const answers: Asked[] = [];
  for (const query of QUERIES) answers.push(await asked(client, query));
  client.close();
  return [...answers.map(lineOf), summary(answers), ...(await readsById(quire, ids))];
}

/** Only the reads by id. */
export async function readsBench(): Promise<BenchLine[]> {
  await using quire = await QuireProcess.start(MAIN, { QUIRE_SAMPLE: 'true' });
  return await readsById(quire, await fillFinance(quire.databaseUrl));
}

interface Asked {
  readonly query: string;
  readonly times: readonly number[];
  /** What was answered: a number of rows, or why there is none. */
  readonly answer: string;
  readonly p50: number;
  readonly p99: number;
}

async function asked(client: QuireClient, query: string): Promise<Asked> {
  const target = `${PATH}?query=${encodeURIComponent(query)}`;
  const times: number[] = [];
  const start = performance.now();
  let answer = '';
  for (let tries = -WARM_UPS; tries < TRIES; tries += 1) {
    const at = performance.now();
    try {
      const { totalRecords } = await client.get<{ totalRecords: number }>(target);
      answer = `${totalRecords} rows`;
    } catch (error) {
      // Longer than a statement may take: the worst there is.
      const took = performance.now() - at;
      const reason = error instanceof Error ? error.message : String(error);
      return { query, times: [took], answer: reason, p50: took, p99: took };
    }
    if (tries >= 0) times.push(performance.now() - at);
    if (tries >= 0 && performance.now() - start > PATIENCE_MS) break;
  }
  const [p50, p99] = percentiles(times);
  return { query, times, answer, p50, p99 };
}

function lineOf({ query, times, answer, p50, p99 }: Asked): BenchLine {
  const few = times.length < TRIES ? `, asked ${times.length} times` : '';
  const note = `p50 ${p50.toFixed(1)} ms, ${answer}${few}${p99 > GOAL_MS ? ', MISSED' : ''}`;
  return { name: query, value: p99, unit: 'ms p99', goal: GOAL_MS, note };
}

function summary(answers: readonly Asked[]): BenchLine {
  const beyond = (of: (one: Asked) => number): number =>
    answers.filter((one) => of(one) > GOAL_MS).length;
  const note = `of ${answers.length} queries; ${beyond(({ p50 }) => p50)} at p50`;
  return { name: `beyond ${GOAL_MS} ms`, value: beyond(({ p99 }) => p99), unit: 'at p99', note };
}

/** Sorts them. */
function percentiles(times: number[]): [p50: number, p99: number] {
  times.sort((a, b) => a - b);
  const at = (part: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return [at(0.5), at(0.99)];
}

/** Both sides take turns, so that a busy machine slows both. */
async function readsById(quire: QuireProcess, ids: readonly string[]): Promise<BenchLine[]> {
  await using bare = await BareServer.start(quire.databaseUrl);
  const password = (await readFile(join(quire.dataDir, 'admin-password'), 'utf8')).trim();
  const headers = {
    'x-okapi-tenant': 'library',
    'x-okapi-token': await login(quire.url, password),
  };
  const ours = new Readers(`${quire.url}${PATH}/`, headers, ids);
  const theirs = new Readers(`${bare.url}/`, {}, ids);
  for (let round = 0; round < WARM_ROUNDS; round += 1) {
    await ours.round();
    await theirs.round();
  }
  for (const side of [ours, theirs]) side.forget();
  for (let round = 0; round < ROUNDS; round += 1) {
    await theirs.round();
    await ours.round();
  }
  return [
    theirs.line('GET by id: Fastify and pg alone'),
    {
      ...ours.line('GET by id through the gateway'),
      ratio: ours.rate / theirs.rate,
      goal: GOAL_RATIO,
    },
  ];
}

async function login(url: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/authn/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-okapi-tenant': 'library' },
    body: JSON.stringify({ username: 'admin', password }),
  });
  return ((await answer.json()) as { okapiToken: string }).okapiToken;
}

/** Some clients that read one id after the other. */
class Readers {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: READERS });
  private times: number[] = [];
  private seconds = 0;
  private next = 0;

  constructor(
    private readonly base: string,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly ids: readonly string[],
  ) {}

  get rate(): number {
    return this.times.length / this.seconds;
  }

  forget(): void {
    this.times = [];
    this.seconds = 0;
  }

  async round(): Promise<void> {
    const start = performance.now();
    const until = start + ROUND_MS;
    await Promise.all(Array.from({ length: READERS }, () => this.readUntil(until)));
    this.seconds += (performance.now() - start) / 1000;
  }

  line(name: string): BenchLine {
    const [p50, p99] = percentiles(this.times);
    const note = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${READERS} at a time`;
    return { name, value: this.rate, unit: 'reads/s', note };
  }

  private async readUntil(until: number): Promise<void> {
    while (performance.now() < until) {
      const at = performance.now();
      this.next += 1;
      await this.read(this.ids[this.next % this.ids.length] ?? '');
      this.times.push(performance.now() - at);
    }
  }

  private async read(id: string): Promise<void> {
    const request = http.get(this.base + id, { agent: this.agent, headers: this.headers });
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    if (answer.statusCode !== 200) throw new Error(`${this.base} answered ${answer.statusCode}.`);
    answer.resume();
    await once(answer, 'end');
  }
}

/** `bare-finance.ts` in a process of its own, as Quire is in its. */
class BareServer implements AsyncDisposable {
  private constructor(
    readonly url: string,
    private readonly stop: () => Promise<unknown>,
  ) {}

  static async start(databaseUrl: string): Promise<BareServer> {
    const child = spawn(process.execPath, [BARE], {
      env: { ...process.env, DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const stop = (): Promise<unknown> => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      return ended;
    };
    for await (const line of createInterface({ input: child.stdout }))
      return new BareServer(line, stop);
    throw new Error('The bare server did not start.');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
