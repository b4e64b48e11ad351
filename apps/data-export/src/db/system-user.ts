import { SYSTEM_USER_ID } from '@quire/contracts/scope';
import type { Stamps } from '../domain/job-answer.js';

/** First, last and user name of who made the built-in profiles (appendix C). */
export const SYSTEM_USER = ['System', 'Process', 'system_process'] as const;

export function systemStamps(at: string): Stamps {
  const date = new Date(at);
  return {
    createdAt: date,
    createdBy: SYSTEM_USER_ID,
    createdByName: SYSTEM_USER[2],
    updatedAt: date,
    updatedBy: SYSTEM_USER_ID,
    updatedByName: SYSTEM_USER[2],
  };
}
