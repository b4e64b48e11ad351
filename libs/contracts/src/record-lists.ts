import { Int, ListOf } from './fields.js';
import { StoredRecord } from './source-records.js';

/** A page of records: `GET /source-storage/records` (source-record-storage, section 3). */
export class StoredRecords {
  @ListOf(() => StoredRecord) readonly records: readonly StoredRecord[];
  @Int({ optional: true }) readonly totalRecords?: number;
}
