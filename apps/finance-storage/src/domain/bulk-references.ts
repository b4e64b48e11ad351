import { brokenRule, invalid, violation, type Failure } from '@quire/contracts/failure';
import type { BulkOperation } from '@quire/contracts/finance-bulk';
import type { Triple } from './bulk-plan.js';

/** The groups, funds and fiscal years that operations name, by id or by code (finance-storage, 8.1). */
export const PARTS = ['group', 'fund', 'fiscalYear', 'toGroup'] as const;
export type Part = (typeof PARTS)[number];

/** What is known of the entities of one table. */
export interface Known {
  readonly ids: ReadonlySet<string>;
  /** Ids by the code as it was sent, in whatever case and with whatever accents. */
  readonly codes: ReadonlyMap<string, string>;
}

export type NamedTable = 'groups' | 'fund' | 'fiscal_year';

export const TABLE_OF: Readonly<Record<Part, NamedTable>> = {
  group: 'groups',
  fund: 'fund',
  fiscalYear: 'fiscal_year',
  toGroup: 'groups',
};
const COLUMN_OF: Readonly<Record<Part, string>> = {
  group: 'groupid',
  fund: 'fundid',
  fiscalYear: 'fiscalyearid',
  toGroup: 'groupid',
};

/** Longest code that a sentence repeats. */
const CODE_CHARACTERS_MAX = 256;

export class BulkReferences {
  constructor(private readonly known: Readonly<Record<NamedTable, Known>>) {}

  /** The id that an operation names; undefined: none. @throws Failure 422 of a code that names nothing */
  named(operation: BulkOperation, part: Part, at: string): string | undefined {
    const [id, code] = [operation[`${part}Id`], operation[`${part}Code`]];
    if (code === undefined) return id;
    const found = this.known[TABLE_OF[part]].codes.get(code);
    if (found === undefined) throw unknown(part, ['code', code], `${at}.${part}Code`);
    if (id === undefined || id === found) return found;
    const message = `${part}Code names another one than ${part}Id`;
    throw invalid(brokenRule(message, 'finance.bulk.ambiguous', `${at}.${part}Code`, code));
  }

  /** As {@link named}, without a word about what names nothing. */
  find(operation: BulkOperation, part: Part): string | undefined {
    const code = operation[`${part}Code`];
    if (code === undefined) return operation[`${part}Id`];
    return this.known[TABLE_OF[part]].codes.get(code);
  }

  required(operation: BulkOperation, part: Part, at: string): string {
    const id = this.named(operation, part, at);
    if (id !== undefined) return id;
    throw invalid(violation('may not be null', `${at}.${part}Id`, null));
  }

  /** Of a new row, in the order of the schema. @throws Failure 422 of an id that names nothing */
  check({ groupId, fundId, fiscalYearId }: Triple, at: string): void {
    this.checkGroup(groupId, 'group', at);
    this.checkId('fiscalYear', fiscalYearId, at);
    this.checkId('fund', fundId, at);
  }

  checkGroup(id: string, part: 'group' | 'toGroup', at: string): void {
    this.checkId(part, id, at);
  }

  private checkId(part: Part, id: string, at: string): void {
    if (!this.known[TABLE_OF[part]].ids.has(id)) throw unknown(part, ['id', id], `${at}.${part}Id`);
  }
}

/** In the words of section 3. */
export function unknown(
  part: Part,
  [by, value]: readonly ['id' | 'code', string],
  key: string,
): Failure {
  const shown =
    value.length > CODE_CHARACTERS_MAX ? `${value.slice(0, CODE_CHARACTERS_MAX)}…` : value;
  const message = `Cannot set group_fund_fiscal_year.${COLUMN_OF[part]} = ${shown} because it does not exist in ${TABLE_OF[part]}.${by}.`;
  return invalid(brokenRule(message, 'finance.reference', key, value));
}
