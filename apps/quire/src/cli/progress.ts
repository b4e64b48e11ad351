/**
 * Progress on stderr: a bar on a terminal, otherwise a line every ten seconds; with `--json` one NDJSON object per step on
 * stdout. `NO_COLOR` needs no care: nothing here is coloured.
 */
export interface Step {
  /** What is going on: `upload`, `import`, `export`, `download`. */
  readonly stage: string;
  readonly current: number;
  /** 0: not known. */
  readonly total: number;
  readonly unit: 'bytes' | 'records';
}

const LINE_EVERY_MS = 10_000;
const DRAW_EVERY_MS = 100;
const BAR_CHARACTERS = 24;

export class Progress {
  private stage = '';
  private startedAt = 0;
  private shownAt = 0;

  constructor(
    private readonly json: boolean,
    private readonly terminal: boolean = process.stderr.isTTY,
  ) {}

  show(step: Step): void {
    const now = performance.now();
    if (step.stage !== this.stage) {
      this.clear();
      this.stage = step.stage;
      this.startedAt = now;
      this.shownAt = this.terminal ? 0 : now;
    }
    const every = this.terminal || this.json ? DRAW_EVERY_MS : LINE_EVERY_MS;
    const whole = step.total > 0 && step.current >= step.total;
    if (now - this.shownAt < every && !whole) return;
    this.shownAt = now;
    const seconds = (now - this.startedAt) / 1000;
    if (this.json) process.stdout.write(`${JSON.stringify(step)}\n`);
    else if (this.terminal) process.stderr.write(`\r\x1b[K${bar(step)} ${describe(step, seconds)}`);
    else process.stderr.write(`${describe(step, seconds)}\n`);
  }

  /** Takes the bar away, so that what is printed next stands on a line of its own. */
  clear(): void {
    if (this.terminal && this.stage !== '' && !this.json) process.stderr.write('\r\x1b[K');
    this.stage = '';
  }
}

function bar({ current, total }: Step): string {
  const filled =
    total > 0 ? Math.min(BAR_CHARACTERS, Math.floor((current / total) * BAR_CHARACTERS)) : 0;
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARACTERS - filled)}]`;
}

export function describe(step: Step, seconds: number): string {
  const rate = seconds > 0.5 ? step.current / seconds : 0;
  const amount = step.unit === 'bytes' ? megabytes : plain;
  const parts = [
    `${step.stage} ${amount(step.current)}${step.total > 0 ? ` of ${amount(step.total)}` : ''}`,
  ];
  if (rate > 0) parts.push(`${amount(rate)}/s`);
  if (rate > 0 && step.total > step.current)
    parts.push(`${Math.ceil((step.total - step.current) / rate)} s left`);
  return parts.join(', ');
}

const plain = (count: number): string => `${Math.round(count)} records`;
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
