import { formatDate } from '@quire/contracts/dates';
import type { WaitReason } from './release-score.js';

/** What the details say of a job's speed and of why it waits (data-import, 14, 1 and 16). */
export interface Worked {
  readonly handled: number;
  readonly total: number;
  /** Since the work began. */
  readonly seconds: number;
  readonly now: Date;
  /** It will go on by itself. */
  readonly runs: boolean;
}

export interface Rate {
  /** To one decimal. */
  readonly recordsPerSecond: number;
  /** When it will have ended at this speed. */
  readonly eta?: string;
}

export function rateOf({ handled, total, seconds, now, runs }: Worked): Rate {
  // The first millisecond tells nothing of the speed.
  const perSecond = handled / Math.max(seconds, 0.001);
  const recordsPerSecond = Math.round(perSecond * 10) / 10;
  if (!runs || handled === 0 || handled >= total) return { recordsPerSecond };
  const left = ((total - handled) / perSecond) * 1000;
  return { recordsPerSecond, eta: formatDate(new Date(now.getTime() + left)) };
}

const WAIT_TEXTS: Readonly<Record<WaitReason, string>> = {
  PAUSED: 'The job is paused. It goes on when it is resumed.',
  FRAMING: 'The records of the file are still being counted.',
  OWN_WINDOW: 'As many parts of this job are at work as one job may have. The next follows them.',
  TENANT_WINDOW:
    'As many parts of your imports are at work as one library may have while another waits.',
  TOTAL_WINDOW: 'As many parts of imports are at work as the system takes at once.',
  TURN: 'The next part of this job is about to be sent.',
};

export const waitText = (reason: WaitReason): string => WAIT_TEXTS[reason];
