import { csvCell } from '@quire/contracts/csv';
import { brokenRule, type Violation } from '@quire/contracts/failure';
import { csvRows, csvText, MalformedCsv, type CsvCell } from './csv-table.js';

/**
 * The matrix of one fiscal year as a table for spreadsheets (finance-storage, 8.4), both ways:
 *
 *   fiscalYear,FY2026,Fiscal Year 2026
 *   fund,fundName,fundStatus,available,HIST,SCI
 *   H-AFR,African History,Active,10000,x,
 *
 * Groups and funds go by their codes. What a spreadsheet would take for a formula has a leading `'`, and so has what looks
 * like that already, so that reading takes away exactly what writing added. On the way in the columns between `fund` and the
 * groups may be missing; `;` or a tab may separate, as some spreadsheets write it.
 */
export interface Named {
  readonly code: string;
  readonly name: string;
}

export interface MatrixFund extends Named {
  readonly status: string;
  /** Of the budget of the year. */
  readonly available?: string | undefined;
}

const INFORMATION = ['fundName', 'fundStatus', 'available'];
const MARK = 'x';

export const matrixHead = (fiscalYear: Named, groups: readonly Named[]): string =>
  lineOf(['fiscalYear', ...[fiscalYear.code, fiscalYear.name].map(guarded)]) +
  lineOf(['fund', ...INFORMATION, ...groups.map(({ code }) => guarded(code))]);

/** @param isIn for each group, whether the fund is in it */
export const matrixLine = (fund: MatrixFund, isIn: readonly boolean[]): string =>
  lineOf(
    [fund.code, fund.name, fund.status].map(guarded),
    // A number, not a text: what is negative stays so.
    [fund.available ?? ''],
    isIn.map((one) => (one ? MARK : '')),
  );

const lineOf = (...cells: readonly (readonly string[])[]): string => `${cells.flat().join(',')}\n`;

const GUARDED = /^'*[=+\-@\t\r]/;
const guarded = (text: string): string => csvCell(GUARDED.test(text) ? `'${text}` : text);
const unguarded = (text: string): string =>
  text.startsWith("'") && GUARDED.test(text) ? text.slice(1) : text;

export interface SentCode {
  readonly code: string;
  readonly line: number;
  readonly column: number;
}

export interface SentFund extends SentCode {
  /** Indexes of the groups that it shall be in. */
  readonly groups: readonly number[];
}

export interface SentMatrix {
  readonly fiscalYear: SentCode;
  readonly groups: readonly SentCode[];
  readonly funds: readonly SentFund[];
  /** Cells that say neither. */
  readonly problems: readonly Violation[];
}

const FUNDS_MAX = 50_000;
/** More would not help anybody. */
export const PROBLEMS_MAX = 100;

/** @throws MalformedCsv of what is no such table */
export function readMatrix(bytes: Uint8Array): SentMatrix {
  const text = csvText(bytes);
  const delimiter = /^"?fiscalYear"?([,;\t])/.exec(text)?.[1];
  if (delimiter === undefined) throw new MalformedCsv(1, 1);
  const rows = csvRows(text, delimiter);
  const fiscalYear = codeOf(next(rows)[1], 1);
  const head = next(rows);
  const { groups, first } = groupsOf(head);
  const problems: Violation[] = [];
  const funds: SentFund[] = [];
  for (const cells of rows) {
    const fund = fundOf(cells, first, groups.length, problems);
    if (fund) funds.push(fund);
    if (funds.length > FUNDS_MAX) throw faultAt(cells[0]);
  }
  return { fiscalYear, groups, funds, problems };
}

function next(rows: Generator<readonly CsvCell[]>): readonly CsvCell[] {
  const row = rows.next();
  if (row.done === true) throw new MalformedCsv(2, 1);
  return row.value;
}

/** The columns that are groups; empty ones behind them come from the spreadsheet. */
function groupsOf(head: readonly CsvCell[]): {
  readonly groups: readonly SentCode[];
  readonly first: number;
} {
  if (head[0]?.text !== 'fund') throw faultAt(head[0]);
  let first = 1;
  for (const name of INFORMATION) if (head[first]?.text === name) first += 1;
  const last = head.findLastIndex(({ text }) => text !== '');
  const groups = head.slice(first, last + 1).map((cell) => codeOf(cell, cell.line));
  return { groups, first };
}

function fundOf(
  cells: readonly CsvCell[],
  first: number,
  groups: number,
  problems: Violation[],
): SentFund | undefined {
  if (cells.every(({ text }) => text.trim() === '')) return undefined;
  const end = first + groups;
  const beyond = cells.slice(end).find(({ text }) => text.trim() !== '');
  if (beyond) throw faultAt(beyond);
  // A row that was cut would take the fund out of the groups that are missing.
  if (cells.length < end) throw faultAt(cells.at(-1));
  const marked: number[] = [];
  for (const [index, cell] of cells.slice(first, end).entries()) {
    const text = cell.text.trim().toLowerCase();
    if (text === MARK) marked.push(index);
    else if (text !== '' && problems.length < PROBLEMS_MAX) problems.push(badCell(cell));
  }
  return { ...codeOf(cells[0], cells[0]?.line ?? 0), groups: marked };
}

function codeOf(cell: CsvCell | undefined, line: number): SentCode {
  if (!cell || cell.text === '') throw new MalformedCsv(cell?.line ?? line, cell?.column ?? 1);
  return { code: unguarded(cell.text), line: cell.line, column: cell.column };
}

const faultAt = (cell: CsvCell | undefined): MalformedCsv =>
  new MalformedCsv(cell?.line ?? 1, cell?.column ?? 1);

/** A problem at a place of the file. */
export const csvProblem = (
  { line, column }: Pick<SentCode, 'line' | 'column'>,
  [message, code]: readonly [message: string, code: string],
  value: string,
): Violation => brokenRule(`Line ${line}: ${message}`, code, `${line}:${column}`, value);

const badCell = (cell: CsvCell): Violation =>
  csvProblem(cell, [`a cell must be ${MARK} or empty`, 'finance.bulk.cell'], cell.text);

/** What is named twice would be asked to be both. */
export function twice(codes: readonly SentCode[], what: string, idOf: IdOf): Violation[] {
  const seen = new Set<string>();
  return codes.flatMap((sent) => {
    const id = idOf(sent.code);
    if (id === undefined || !seen.has(id)) {
      if (id !== undefined) seen.add(id);
      return [];
    }
    return [csvProblem(sent, [`the ${what} is there twice`, 'finance.bulk.twice'], sent.code)];
  });
}

export const unknownCodes = (codes: readonly SentCode[], what: string, idOf: IdOf): Violation[] =>
  codes
    .filter(({ code }) => idOf(code) === undefined)
    .map((sent) =>
      csvProblem(sent, [`there is no ${what} with this code`, 'finance.reference'], sent.code),
    );

export type IdOf = (code: string) => string | undefined;
