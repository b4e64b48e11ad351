/**
 * Date terms of CQL. A term is a period as long as its last unit: `2020` a year, `2020-10-07T13:18` a minute,
 * `…:20.364` a millisecond. Without a zone it is UTC. Dates are compared with its first instant and with the first
 * instant behind it, so that `opened <= 2020-12-31` includes that day.
 */
export interface Period {
  /** First instant, as timestamptz literal. */
  readonly start: string;
  /** First instant that is no longer in the period. */
  readonly end: string;
}

const FORM =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?)?(?:(Z)|([-+])(\d\d)(?::?(\d\d))?)?$/i;

/** Undefined when the term is no date of the years 1 to 9999; `2020-02-30` and `24:00` are none. */
export function readPeriod(term: string): Period | undefined {
  const found = FORM.exec(term);
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = found;
  const units = [year, month, day, hour, minute, second].map((unit) =>
    unit === undefined ? undefined : Number(unit),
  );
  const milliseconds = fraction === undefined ? undefined : Number(`${fraction}00`.slice(0, 3));
  const given = [...units, milliseconds].filter((unit) => unit !== undefined);
  if (!isOnCalendar(given) || Number(zoneHour ?? 0) > 18 || Number(zoneMinute ?? 0) > 59) {
    return undefined;
  }
  const offset = (sign === '-' ? -1 : 1) * (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0));
  const next = given.map((unit, at) => (at === given.length - 1 ? unit + 1 : unit));
  return {
    start: timestamp(instant(given) - offset * 60_000),
    end: timestamp(instant(next) - offset * 60_000),
  };
}

function isOnCalendar(units: readonly number[]): boolean {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = units;
  if (year < 1 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return false;
  const lastDay = new Date(instant([year, month + 1, 0])).getUTCDate();
  return day >= 1 && day <= lastDay;
}

/** Milliseconds since 1970; a unit past its maximum carries over. */
function instant(units: readonly number[]): number {
  const [year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0] = units;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC takes the years 0 to 99 for 1900 to 1999
  return date.setUTCHours(hour, minute, second, millisecond);
}

/** PostgreSQL knows no year 0 and no sign: zones move the ends of the range there. */
function timestamp(milliseconds: number): string {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  const rest = date.toISOString().replace(/^[-+]?\d+/, '');
  const digits = String(year < 1 ? 1 - year : year).padStart(4, '0');
  return `${digits}${rest.replace('Z', '+00')}${year < 1 ? ' BC' : ''}`;
}
