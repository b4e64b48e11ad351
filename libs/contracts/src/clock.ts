/** The time is handed in, so that a test can set it. */
export interface Clock {
  now(): Date;
}

/** Makes random UUIDs of version 4; handed in for the same reason. */
export interface Ids {
  next(): string;
}
