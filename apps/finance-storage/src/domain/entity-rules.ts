import { brokenRule, invalid, type Failure } from '@quire/contracts/failure';

/** Rules on the content of one entity that a schema cannot say (finance-storage, 5.2 and 5.4). */
type Values = Readonly<Record<string, unknown>>;

/** @returns what is wrong with a fiscal year or a fund in itself */
export const ownRules: Readonly<Record<string, (values: Values) => Failure | undefined>> = {
  FiscalYear: ({ periodStart, periodEnd }) =>
    Date.parse(String(periodStart)) < Date.parse(String(periodEnd))
      ? undefined
      : invalid(
          brokenRule(
            'periodStart must be before periodEnd',
            'finance.fiscalYear.period',
            'periodStart',
            periodStart,
          ),
        ),
  Fund: (values) => {
    const { id } = values;
    const property = ['allocatedFromIds', 'allocatedToIds'].find((name) =>
      ((values[name] ?? []) as readonly unknown[]).includes(id),
    );
    if (property === undefined) return undefined;
    return invalid(
      brokenRule(
        `${property} must not hold the fund itself`,
        'finance.fund.selfAllocation',
        property,
        id,
      ),
    );
  },
};

export interface Linked {
  readonly budgetId: string;
  readonly fundId: string;
  readonly fiscalYearId: string;
}

export const budgetMismatch = ({ budgetId, fundId, fiscalYearId }: Linked): Failure =>
  invalid({
    message: `Budget ${budgetId} does not belong to fund ${fundId} and fiscal year ${fiscalYearId}`,
    type: 'error',
    code: 'finance.budget.mismatch',
    parameters: Object.entries({ budgetId, fundId, fiscalYearId }).map(([key, value]) => ({
      key,
      value,
    })),
  });
