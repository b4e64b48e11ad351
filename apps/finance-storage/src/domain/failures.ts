import { notFound, type Failure } from '@quire/contracts/failure';

/** Every other way this service says no (finance-storage, 1.2); those of the database are in `constraints.ts`. */
export const texts = { notFound: (): string => 'Not found' } as const;

export const failures = {
  notFound: (): Failure => notFound(texts.notFound()),
} as const;
