import { dataExport } from './statuses/data-export.js';
import { dataImport } from './statuses/data-import.js';
import { financeStorage } from './statuses/finance-storage.js';
import type { DeclaredStatus } from './statuses/line.js';
import { script } from './statuses/script.js';
import { sourceStorage } from './statuses/source-storage.js';

/**
 * Every status that the seeds declare, and what provokes it. The story runs each line; `docs/contract.md` is these lines as
 * a table.
 */
export const DECLARED_STATUSES: readonly DeclaredStatus[] = [
  ...dataExport,
  ...dataImport,
  ...sourceStorage,
  ...financeStorage,
  ...script,
];

/** `docs/contract.md`. */
export function contractPage(): string {
  const rows = DECLARED_STATUSES.map(({ seed, call, status, by, send }) =>
    send
      ? `| ${seed} | \`${call}\` | ${status} | ${by} | ${call} answers ${status} |`
      : `| ${seed} | \`${call}\` | ${status} | ${by} | – |`,
  );
  return [
    '# The contract, status by status',
    '',
    'Every call that seeds 000 (data export v2.0), 001 (data import v1.1), 002 (source record storage v2.0), 003 (finance',
    'storage v1) and 004 (the six-step script) declare, with every status they declare for it, what provokes it, and the test',
    'that does. All tests are in `apps/e2e/contract.e2e.spec.ts`; a status that no input can provoke says so. What we answer',
    'beyond the seeds stands in `apps/e2e/src/added-statuses.ts`, each with its reason. This page is made from',
    '`apps/e2e/src/statuses/`: a test fails when it is not what that file says.',
    '',
    '| Seed | Call | Status | Provoked by | Test |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
