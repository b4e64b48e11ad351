/**
 * Dates as conventions, section 11, have them: out in UTC with three fraction digits and `+00:00`, in with any zone or
 * none (= UTC), with or without fraction, date only, or milliseconds since 1970.
 */
const FORM =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;

export function formatDate(date: Date): string {
  return date.toISOString().replace('Z', '+00:00');
}

/** Undefined when the text is no date of years 0001–9999. */
export function parseDate(value: string | number): Date | undefined {
  if (typeof value === 'number' || /^-?\d{5,}$/.test(value)) return fromMillis(Number(value));
  const parts = FORM.exec(value);
  if (!parts) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone] =
    parts;
  const utc = new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`,
  );
  // The engine rolls 31 February over to March; a date that changes under parsing is none.
  if (Number.isNaN(utc.getTime()) || utc.getUTCDate() !== Number(day)) return undefined;
  // The zone may move the ends of the range out of it: no other form could show such an instant.
  return Number(year) < 1 ? undefined : fromMillis(utc.getTime() - offsetMs(zone));
}

function fromMillis(ms: number): Date | undefined {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  return Number.isInteger(ms) && year >= 1 && year <= 9999 ? date : undefined;
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
