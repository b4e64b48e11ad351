import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { codecBench, type BenchLine } from './codec.bench.js';
import { enginesBench } from './engines.bench.js';
import { financeBench, readsBench } from './finance.bench.js';
import { benchRecords } from './marc-records.js';
import { largeBench } from './large.bench.js';
import { marc8Bench } from './marc8.bench.js';
import { textFormatsBench } from './marcxml.bench.js';
import { memoryBench } from './memory.bench.js';
import { queriesBench } from './queries.bench.js';
import { throughQuireBench } from './through-quire.bench.js';
import { viewBench } from './view.bench.js';

/*
 * npm run bench [-- <name>] [-- --file <path of a MARC file>]
 * Everything is a ratio of two sides measured in this run: absolute figures say as much about the machine as about the code.
 */
type Bench = (records: readonly Buffer[]) => Promise<BenchLine[]> | AsyncGenerator<BenchLine>;

const BENCHES: Readonly<Record<string, Bench>> = {
  codec: async (records) => [
    ...codecBench(records),
    ...textFormatsBench(records),
    ...(await marc8Bench(records)),
  ],
  jobs: throughQuireBench,
  memory: memoryBench,
  large: largeBench,
  view: viewBench,
  queries: queriesBench,
  finance: financeBench,
  reads: readsBench,
  engines: enginesBench,
};

const LONG = new Set(['large', 'queries', 'finance', 'reads', 'engines']);

const { values, positionals } = parseArgs({
  options: { file: { type: 'string' } },
  allowPositionals: true,
});
// Those that take a quarter of an hour and much disk: only by their names.
const names =
  positionals.length > 0 ? positionals : Object.keys(BENCHES).filter((name) => !LONG.has(name));
const records = await benchRecords(values.file);
const mean = Math.round(records.reduce((sum, record) => sum + record.length, 0) / records.length);
print(
  `${records.length} records of ${mean} bytes on average, ${values.file === undefined ? 'made up' : 'from a file'}; Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? ''}`,
);
for (const name of names) {
  const bench = BENCHES[name];
  if (!bench) {
    print(`There is no bench "${name}". There are: ${Object.keys(BENCHES).join(', ')}.`);
    process.exitCode = 2;
    continue;
  }
  for await (const line of await bench(records)) print(describe(line));
}

function describe({ name, value, unit, ratio, goal, note }: BenchLine): string {
  const figure = `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
  const against = ratio === undefined ? '' : `${ratio.toFixed(2)} ×`;
  return `${name.padEnd(40)} ${figure.padStart(18)} ${against.padStart(9)}${goal === undefined ? '' : `   goal ${goal}`}${note === undefined ? '' : `   ${note}`}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
