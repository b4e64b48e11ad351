import { Injectable } from '@nestjs/common';
import { invalid, refused, violation } from '@quire/contracts/failure';
import {
  BULK_OPERATIONS_MAX,
  type BulkAnswer,
  type BulkChange,
  type BulkMode,
  type BulkOperation,
} from '@quire/contracts/finance-bulk';
import type { Caller } from '@quire/contracts/scope';
import type { TenantRead } from '@quire/postgres/tenant';
import { Relations } from '../db/relations.js';
import { MatrixRows } from '../db/matrix-rows.js';
import type { Known } from '../domain/bulk-references.js';
import { MalformedCsv } from '../domain/csv-table.js';
import {
  PROBLEMS_MAX,
  readMatrix,
  twice,
  unknownCodes,
  type SentMatrix,
} from '../domain/matrix-csv.js';
import { BulkChanges } from './bulk-changes.js';

export interface BulkOptions {
  readonly mode: BulkMode;
  readonly dryRun: boolean;
}

/** Where the operations of bulk work come from: a list, a matrix in CSV (finance-storage, section 8). */
@Injectable()
export class BulkSources {
  constructor(
    private readonly bulk: BulkChanges,
    private readonly relations: Relations,
    private readonly matrix: MatrixRows,
  ) {}

  list(caller: Caller, { operations }: BulkChange, options: BulkOptions): Promise<BulkAnswer> {
    return this.bulk.run(caller, { ...options, operations: () => once(operations) });
  }

  /** Only cells that differ from what is stored become operations. @throws Failure 400, 422 */
  table(caller: Caller, bytes: Uint8Array, options: BulkOptions): Promise<BulkAnswer> {
    const sent = readTable(bytes);
    const differing = (tx: TenantRead): AsyncGenerator<BulkOperation[]> => this.differing(tx, sent);
    return this.bulk.run(caller, { ...options, operations: differing });
  }

  private async *differing(tx: TenantRead, sent: SentMatrix): AsyncGenerator<BulkOperation[]> {
    const codes = (of: readonly { readonly code: string }[]): { ids: []; codes: string[] } => ({
      ids: [],
      codes: of.map(({ code }) => code),
    });
    const years = await this.relations.known(tx, 'fiscal_year', codes([sent.fiscalYear]));
    const groups = await this.relations.known(tx, 'groups', codes(sent.groups));
    const funds = await this.relations.known(tx, 'fund', codes(sent.funds));
    checkCodes(sent, { years, groups, funds });
    const id = ({ codes: ids }: Known, code: string): string => ids.get(code) ?? '';
    const fiscalYearId = id(years, sent.fiscalYear.code);
    const groupIds = sent.groups.map(({ code }) => id(groups, code));
    const fundIds = sent.funds.map(({ code }) => id(funds, code));
    const cells = await this.matrix.cells(tx, fiscalYearId, fundIds);
    const operations: BulkOperation[] = [];
    for (const [at, fund] of sent.funds.entries()) {
      const fundId = fundIds[at] ?? '';
      const marked = new Set(fund.groups.map((group) => groupIds[group] ?? ''));
      const there = cells.get(fundId);
      for (const groupId of groupIds) {
        const isThere = there?.has(groupId) ?? false;
        if (isThere === marked.has(groupId)) continue;
        operations.push({ op: isThere ? 'remove' : 'add', groupId, fundId, fiscalYearId });
        if (operations.length > BULK_OPERATIONS_MAX) throw tooMany();
      }
    }
    if (operations.length > 0) yield operations;
  }
}

async function* once<T>(list: T): AsyncGenerator<T> {
  await Promise.resolve();
  yield list;
}

const tooMany = (): Error =>
  invalid(
    violation(
      `size must be between 1 and ${BULK_OPERATIONS_MAX}`,
      'operations',
      `more than ${BULK_OPERATIONS_MAX} changed cells`,
    ),
  );

function readTable(bytes: Uint8Array): SentMatrix {
  try {
    return readMatrix(bytes);
  } catch (error) {
    if (!(error instanceof MalformedCsv)) throw error;
    throw refused(`unable to add bulk -- ${error.message}`, 'malformed-csv');
  }
}

function checkCodes(
  { fiscalYear, groups, funds, problems }: SentMatrix,
  known: Readonly<Record<'years' | 'groups' | 'funds', Known>>,
): void {
  const idOf =
    ({ codes }: Known) =>
    (code: string) =>
      codes.get(code);
  const found = [
    ...unknownCodes([fiscalYear], 'fiscal year', idOf(known.years)),
    ...unknownCodes(groups, 'group', idOf(known.groups)),
    ...twice(groups, 'group', idOf(known.groups)),
    ...unknownCodes(funds, 'fund', idOf(known.funds)),
    ...twice(funds, 'fund', idOf(known.funds)),
    ...problems,
  ];
  if (found.length > 0) throw invalid(...found.slice(0, PROBLEMS_MAX));
}
