/**
 * The amounts of a budget that follow from the stored ones (finance-storage, 2.1), as exact decimals of the database.
 *
 * @param of makes the expression of a stored amount: the column of one budget, or a sum over several
 */
export function computedAmounts(of: (column: string) => string): Readonly<Record<string, string>> {
  const allocated = `(${of('initial_allocation')} + ${of('allocation_to')} - ${of('allocation_from')})`;
  const totalFunding = `(${allocated} + ${of('net_transfers')})`;
  const used = `(${of('encumbered')} + ${of('awaiting_payment')} + ${of('expenditures')} - ${of('credits')})`;
  const unavailable = `greatest(0, ${used})`;
  const funded = `greatest(0, ${totalFunding})`;
  const overExpended = `greatest(0, ${of('expenditures')} - ${of('credits')} + ${of('awaiting_payment')} - ${funded})`;
  return {
    allocated,
    total_funding: totalFunding,
    unavailable,
    available: `(${totalFunding} - ${used})`,
    cash_balance: `(${totalFunding} - ${of('expenditures')} + ${of('credits')})`,
    over_expended: overExpended,
    over_encumbrance: `(greatest(0, ${unavailable} - ${funded}) - ${overExpended})`,
  };
}
