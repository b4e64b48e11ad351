import { once } from 'node:events';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { decimalJson } from '@quire/contracts/decimals';
import { isAnyUuid } from '@quire/contracts/ids';
import {
  badParameter,
  INTEGER_MAX,
  parsePaging,
  required,
  single,
  type Query,
} from '@quire/contracts/paging';
import { aUuid, pagingParameters, type QueryParameter } from '@quire/contracts/query-parameters';
import type { Scope } from '@quire/contracts/scope';
import { compileList, Page } from '@quire/postgres/pages';
import { streamTenant, type TenantRead } from '@quire/postgres/tenant';
import { cqlOf } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import type { EntityRow } from '../db/entities.js';
import { listingOf } from '../db/entity-queries.js';
import { MatrixRows, type BudgetOfFund, type CodedRow } from '../db/matrix-rows.js';
import { answerOf } from '../domain/entity-answer.js';
import { fiscalYear, fund } from '../domain/entities.js';
import { failures } from '../domain/failures.js';
import { matrixHead, matrixLine } from '../domain/matrix-csv.js';

/** The two forms of a matrix, written a line at a time. */
interface Form {
  head(year: EntityRow, groups: readonly CodedRow[]): string;
  row(
    fund: EntityRow,
    budget: BudgetOfFund | undefined,
    cells: readonly (string | undefined)[],
  ): string;
  tail(rows: number, total: number | undefined): string;
}

/** What {@link MatrixAnswer} reads. */
export const MATRIX_PARAMETERS: readonly QueryParameter[] = [
  aUuid('fiscalYearId', { required: true }),
  aUuid('ledgerId', { description: 'Only its funds.' }),
  cqlOf(listingOf(fund).entity),
  ...pagingParameters(),
];

/** Streams the matrix of a fiscal year (finance-storage, 8.4): funds in pages, every group a column. */
@Injectable()
export class MatrixAnswer {
  constructor(
    private readonly source: DataSource,
    private readonly rows: MatrixRows,
  ) {}

  /** CSV has all funds, unless a limit is named. @throws Failure 400; an unknown fiscal year is a 404 */
  async text(scope: Scope, query: Query, csv: boolean): Promise<Readable> {
    const fiscalYearId = uuidParameter('fiscalYearId', required(query, 'fiscalYearId'));
    const ledger = single(query, 'ledgerId');
    const only =
      ledger === undefined
        ? []
        : [{ column: 'fund.ledger_id', value: uuidParameter('ledgerId', ledger) }];
    const paging = parsePaging(query, csv ? INTEGER_MAX : undefined);
    const cql = single(query, 'query');
    const list = compileList(this.rows.listing, cql, scope.tenantId, only);
    const page = new Page<EntityRow>(list, paging);
    const form = csv ? tableForm : jsonForm();
    const text = (tx: TenantRead): AsyncGenerator<string> =>
      this.written(tx, fiscalYearId, page, form);
    const stream = Readable.from(streamTenant(this.source, scope, text), { objectMode: false });
    // What is wrong must be known before there is a status, because nobody reads the body of a HEAD.
    await once(stream, 'readable');
    return stream;
  }

  private async *written(
    tx: TenantRead,
    fiscalYearId: string,
    page: Page<EntityRow>,
    form: Form,
  ): AsyncGenerator<string> {
    const year = await this.rows.year(tx, fiscalYearId);
    if (!year) throw failures.notFound();
    const groups = await this.rows.groups(tx);
    yield form.head(year, groups);
    let rows = 0;
    for await (const funds of page.batches(tx)) {
      const ids = funds.map(({ id }) => id);
      const cells = await this.rows.cells(tx, fiscalYearId, ids);
      const budgets = await this.rows.budgets(tx, fiscalYearId, ids);
      for (const fund of funds) {
        const ofFund = groups.map(({ id }) => cells.get(fund.id)?.get(id));
        yield form.row(fund, budgets.get(fund.id), ofFund);
      }
      rows += funds.length;
    }
    yield form.tail(rows, page.total(rows));
  }
}

function uuidParameter(name: string, value: string): string {
  if (isAnyUuid(value)) return value.toLowerCase();
  throw badParameter(name, value, `Invalid UUID ${value}`);
}

const tableForm: Form = {
  head: (year, groups) => matrixHead(namedOf(year), groups),
  row: (fund, budget, cells) =>
    matrixLine(
      { ...namedOf(fund), status: String(fund['fund_status']), available: budget?.available },
      cells.map((cell) => cell !== undefined),
    ),
  tail: () => '',
};

const namedOf = (row: EntityRow): { readonly code: string; readonly name: string } => ({
  code: String(row['code']),
  name: String(row['name']),
});

/** A form of its own for each answer: it knows whether a row came before. */
function jsonForm(): Form {
  let comma = '';
  return {
    head: (year, groups) => {
      const shown = { fiscalYear: yearOf(year), groups: groups.map(groupOf) };
      return `${JSON.stringify(shown).slice(0, -1)},"rows":[`;
    },
    row: (fund, budget, cells) => {
      const row = {
        fund: { id: fund.id, ...namedOf(fund), fundStatus: fund['fund_status'] },
        ...(budget ? { budget: { id: budget.id, available: decimalJson(budget.available) } } : {}),
        cells: cells.map((cell) => cell ?? null),
      };
      const text = comma + JSON.stringify(row);
      comma = ',';
      return text;
    },
    tail: (_, total) => (total === undefined ? ']}' : `],"totalRecords":${total}}`),
  };
}

const groupOf = ({ id, code, name }: CodedRow): CodedRow => ({ id, code, name });

function yearOf(row: EntityRow): object {
  const { id, code, name, periodStart, periodEnd, series } = answerOf(fiscalYear, row);
  return { id, code, name, periodStart, periodEnd, series };
}
