import { csvCell } from '@quire/contracts/csv';
import type { IdType } from '@quire/contracts/data-export';
import { inventoryLink } from './inventory-link.js';
import { textOf } from './error-texts.js';

/** The report by line (`data-export.md`, section 14, B2): CSV of RFC 4180, UTF-8, lines ended by LF. */
export const REPORT_HEADER = 'line,input,id,idType,class,code,message,hrid,title,link\n';

/** A line that is not exported, or that has a warning. */
export interface ReportedLine {
  readonly line: number;
  readonly class: 'INVALID' | 'DUPLICATED' | 'NOT_FOUND' | 'FAULTY' | 'WARNING';
  /** As read, where that is kept: of invalid lines. */
  readonly input: string | null;
  readonly id: string | null;
  /** Lines on which the id of a duplicate stands. */
  readonly occurrences: number | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly hrid: string | null;
  readonly title: string | null;
}

/** @param host of the inventory to link to, if the tenant has said */
export function reportLine(
  reported: ReportedLine,
  idType: IdType | undefined,
  host: string | null,
): string {
  const { line, id, hrid, title } = reported;
  const { code, message } = reasonOf(reported);
  const cells = [
    String(line),
    reported.input ?? id ?? '',
    id ?? '',
    idType ?? '',
    reported.class,
    code,
    message,
    hrid ?? '',
    title ?? '',
    (idType === 'instance' && id !== null ? inventoryLink(host, id) : undefined) ?? '',
  ];
  return `${cells.map(csvCell).join(',')}\n`;
}

function reasonOf(reported: ReportedLine): { code: string; message: string } {
  const { input, id, occurrences, code, message } = reported;
  const of = (known: string, ...values: string[]) => ({
    code: known,
    message: textOf(known, values),
  });
  switch (reported.class) {
    case 'INVALID':
      return of('error.invalidUuidFormat', input ?? '');
    case 'DUPLICATED':
      return of('error.duplicatedIds', id ?? '', String(occurrences));
    case 'NOT_FOUND':
      return of('error.uuidsNotFound', id ?? '');
    case 'FAULTY':
    case 'WARNING':
      return { code: code ?? '', message: message ?? '' };
  }
}
