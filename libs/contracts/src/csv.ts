/** Spreadsheets take a cell that begins so for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * A cell of a table that people open in spreadsheets (reliability, 18.5, X17; RFC 4180): what would be taken for a formula gets
 * a leading `'`, what would end the cell is quoted.
 */
export function csvCell(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
