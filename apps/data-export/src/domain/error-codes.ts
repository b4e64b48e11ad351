/**
 * Rows of a job's error log (`data-export.md`, section 9). User interfaces translate the codes themselves and know only
 * those of the table there: a new condition is reported as `error.messagePlaceholder` with its whole text.
 */
export type LogLevel = 'ERROR' | 'WARNING';

export interface LogRow {
  readonly level: LogLevel;
  readonly code: string;
  readonly values: readonly string[];
  readonly affected?: AffectedRecord;
}

/** What is known of the record a row is about. */
export interface AffectedRecord {
  readonly id?: string;
  readonly hrid?: string;
  readonly title?: string;
  readonly recordType?: string;
  /** Made when a row is shown. */
  readonly inventoryRecordLink?: string;
}

const error = (code: string, ...values: string[]): LogRow => ({ level: 'ERROR', code, values });

export const logRows = {
  invalidUuids: (lines: Collected): LogRow => error('error.invalidUuidFormat', lines.text(',')),
  duplicatedId: (id: string, occurrences: number): LogRow =>
    error('error.duplicatedIds', id, String(occurrences)),
  uuidsNotFound: (ids: Collected): LogRow => error('error.uuidsNotFound', ids.text(', ')),
  someRecordsFailed: (failed: number): LogRow => error('error.someRecordsFailed', String(failed)),
  nothingGenerated: (): LogRow => error('error.binaryFile.notGenerated'),
  unreadableInput: (): LogRow => error('error.readingFromInputFile'),
  invalidCql: (fileName: string, column?: number): LogRow =>
    error('error.invalidCqlSyntax', fileName, ...(column === undefined ? [] : [String(column)])),
  invalidExtension: (text: string): LogRow => error('error.uploadedFile.invalidExtension', text),
  message: (text: string): LogRow => error('error.messagePlaceholder', text),
  duplicateSource: (id: string, records: Collected): LogRow => ({
    level: 'WARNING',
    code: 'error.duplicateSRS',
    values: [id, records.text(', ')],
  }),
  cancelled: (by: string): LogRow =>
    error('error.messagePlaceholder', `Job was cancelled by ${by}`),
  gettingInstances: (message: string): LogRow =>
    error('error.inventory.gettingInstancesByIds', message),
  expired: (): LogRow =>
    error('error.messagePlaceholder', 'Job was expired: no updates for more than 1 hour'),
  callingUri: (path: string, message: string): LogRow => error('error.callingUri', path, message),
  generic: (): LogRow => error('error.genericError'),
  onlySetForDeletion: (): LogRow => error('error.onlyForSetToDeletion', ONLY_SET_FOR_DELETION),
  profileUsedForNonDeleted: (): LogRow => error('error.profileUsedToNonDeleted', ONLY_NOT_DELETED),
} as const;

/** Of a line; its job gets {@link logRows.profileUsedForNonDeleted} besides. */
export const SET_TO_DELETION = 'error.setToDeletion';
export const ONLY_SET_FOR_DELETION =
  'This profile can only be used to export authority records set for deletion';
const ONLY_NOT_DELETED = 'This profile can only be used to export authority records not deleted';

/** Values of one collected row: so many, and so many bytes; the full list is in the error report. */
export const COLLECTED_MAX = 100;
const COLLECTED_BYTES_MAX = 8192;
/** Ids that get a row of their own for being repeated. */
export const DUPLICATED_IDS_MAX = 1000;

/** The first values of a list that may be long, and how many there are in all. */
export class Collected {
  constructor(
    /** At most {@link COLLECTED_MAX} of them. */
    private readonly first: readonly string[],
    private readonly count: number,
  ) {}

  text(separator: string): string {
    const shown: string[] = [];
    let bytes = 0;
    for (const value of this.first.slice(0, COLLECTED_MAX)) {
      bytes += Buffer.byteLength(value) + separator.length;
      if (bytes > COLLECTED_BYTES_MAX && shown.length > 0) break;
      shown.push(value);
    }
    const more = this.count - shown.length;
    return shown.join(separator) + (more > 0 ? `… (+${more} more)` : '');
  }
}
