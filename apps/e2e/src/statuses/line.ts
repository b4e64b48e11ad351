import type { Answer, Person, World } from '../world.js';

/** A status that a seed declares for a call, and what provokes it. */
export interface DeclaredStatus {
  readonly seed: '000' | '001' | '002' | '003' | '004';
  readonly call: string;
  readonly status: number;
  /** What provokes it; or, without {@link send}, why nothing does. */
  readonly by: string;
  readonly send?: (stage: Stage) => Promise<Answer>;
}

/** What the requests of the lines are made from. */
export interface Stage {
  readonly world: World;
  readonly person: Person;
  /** Ended export with one file, its file and the definition it came from. */
  readonly job: { readonly id: string; readonly fileId: string; readonly fileDefinitionId: string };
  /** Upload definition with one file. */
  readonly definition: { readonly id: string; readonly fileId: string };
  /** Makes an export job that can be deleted. */
  readonly spareJob: () => Promise<string>;
  /** Makes a file definition for exports, without bytes. */
  readonly spareFileDefinition: () => Promise<string>;
}

export const UNKNOWN = '11111111-1111-4111-8111-111111111111';
export const PROFILE = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';
export const OCTETS = { 'content-type': 'application/octet-stream' };
export const TENANT_ONLY = { headers: { 'x-okapi-tenant': 'library' } } as const;

type Line = Omit<DeclaredStatus, 'seed' | 'call'>;
export const lines = (
  seed: DeclaredStatus['seed'],
  call: string,
  ...all: readonly Line[]
): readonly DeclaredStatus[] => all.map((line) => ({ seed, call, ...line }));

export const FAULT: Line = {
  status: 500,
  by: 'no input: only a fault of ours; the text is that of the seed (reliability, P3)',
};
export const brokenJson = (person: Person, method: string, path: string): Promise<Answer> =>
  person.send(method, path, { body: '{', headers: { 'content-type': 'application/json' } });
