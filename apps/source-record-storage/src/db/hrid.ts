/**
 * The condition that finds records by their human-readable id. The index `record_hrid` holds the first characters only,
 * because a 001 may be as long as a field and an index entry may not.
 *
 * @param column of table `record`, as `r.external_hrid` @param value an expression of type text
 */
export const hridEquals = (column: string, value: string): string =>
  `left(${column}, 200) = left(${value}, 200) and ${column} = ${value}`;
