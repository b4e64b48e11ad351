/** Slices and how they are let out (`data-export.md`, 4.2; reliability, section 10). */

/** Ids in a slice at most: small enough to be done again after a crash, large enough that its transaction costs nothing. */
export const SLICE_IDS_MAX = 10_000;
/** Ids in one request to source-record-storage. */
export const FETCH_IDS_MAX = 1000;
/** Requests in hand: one that is read, and those that the other side prepares meanwhile. */
export const FETCHES_AT_ONCE = 3;
/** A slice that fails so often ends its job. */
export const ATTEMPTS_MAX = 5;
/** Waits of one slice for a dependency that is down, each up to half a minute, before its job fails. */
export const WAITS_MAX = 20;

/** Released slices at once. */
export interface Windows {
  readonly job: number;
  /** Holds only while another tenant waits. */
  readonly tenant: number;
  readonly total: number;
}

export const WINDOWS: Windows = { job: 4, tenant: 8, total: 32 };
