import { ON_999FF, type ChunkOptions, type On999ff } from '@quire/contracts/data-import';
import { refused } from '@quire/contracts/failure';
import type { ImportJobProfile } from './job-profiles.js';

/** What was asked for a job; what is absent follows its profile and the tenant (data-import, 14, 15). */
export interface JobOptions {
  readonly on999ff?: On999ff | undefined;
  readonly strict?: boolean | undefined;
  readonly skipUnchanged?: boolean | undefined;
}

const FLAG = ['true', 'false'] as const;
const VALUES = { on999ff: ON_999FF, strict: FLAG, skipUnchanged: FLAG } as const;
type Name = keyof typeof VALUES;
const NAMES = Object.keys(VALUES) as readonly Name[];
const HEADER = 'X-Quire-Import-Options';

/**
 * The header `X-Quire-Import-Options: on999ff=accept; strict=true; skipUnchanged=false`. Names and values are compared
 * without regard to case; no header means no options.
 *
 * @throws Failure 400 that names the bad option and what is allowed
 */
export function parseJobOptions(header: string | readonly string[] | undefined): JobOptions {
  const text = typeof header === 'string' ? header : (header ?? []).join(';');
  const found = new Map<Name, string>();
  for (const part of text.split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const [sentName = '', ...rest] = part.split('=');
    const name = nameOf(sentName.trim());
    if (found.has(name)) throw refused(`${HEADER}: '${name}' is given twice`, 'import-options');
    found.set(name, valueOf(name, rest.join('=').trim()));
  }
  const flag = <N extends Name>(name: N): { readonly [key in N]?: boolean } =>
    found.has(name) ? ({ [name]: found.get(name) === 'true' } as { [key in N]: boolean }) : {};
  const on999ff = found.get('on999ff') as On999ff | undefined;
  return {
    ...(on999ff === undefined ? {} : { on999ff }),
    ...flag('strict'),
    ...flag('skipUnchanged'),
  };
}

function nameOf(sent: string): Name {
  const name = NAMES.find((one) => one.toLowerCase() === sent.toLowerCase());
  if (name !== undefined) return name;
  const allowed = NAMES.map((one) => `${one}=${VALUES[one].join('|')}`).join(', ');
  throw refused(
    `${HEADER}: '${sent}' is not an import option. Allowed are: ${allowed}`,
    'import-options',
  );
}

function valueOf(name: Name, sent: string): string {
  const values: readonly string[] = VALUES[name];
  const value = values.find((one) => one === sent.toLowerCase());
  if (value !== undefined) return value;
  throw refused(
    `${HEADER}: '${name}' cannot be '${sent}'. Allowed are: ${values.join(', ')}`,
    'import-options',
  );
}

/** What goes with every chunk of the job. Fixed when its work begins: later settings change nothing of it. */
export function settledOptions(
  asked: JobOptions,
  {
    profile,
    assignInstanceIds,
    dryRun = false,
  }: {
    readonly profile: Pick<ImportJobProfile, 'match'>;
    readonly assignInstanceIds: boolean;
    readonly dryRun?: boolean;
  },
): ChunkOptions {
  const matches = profile.match !== 'none';
  return {
    on999ff: asked.on999ff ?? (matches ? 'accept' : 'reject'),
    skipUnchanged: asked.skipUnchanged ?? true,
    strict: asked.strict ?? false,
    assignInstanceIds,
    dryRun,
  };
}

/** Must its chunks be worked one after the other (9.3)? Holdings, which framing finds, are a third reason. */
export function inOrderBy(
  profile: Pick<ImportJobProfile, 'match'>,
  { on999ff }: Pick<ChunkOptions, 'on999ff'>,
): boolean {
  return profile.match !== 'none' || on999ff === 'accept';
}
