import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { readKeys, readOrMakeKeys, type KeyLine } from './key-files.js';

/** A secret of 32 bytes or more with its id. The first of a list signs, each of them verifies. */
export type Secrets = readonly KeyLine[];

/** Which secret two services share. Undefined: these two do not talk. */
export interface PairKeys {
  keyFor(issuer: ServiceName, audience: ServiceName): Secrets | undefined;
}

/** Ed25519 keys of user tokens. Only the gateway has them. */
export interface TokenKeys {
  readonly signing: { readonly id: string; readonly key: KeyObject };
  /** Public keys by id. */
  readonly verifying: ReadonlyMap<string, KeyObject>;
}

/** What one service is handed: the pairs it belongs to, its own link key, and, for the gateway, the token keys. */
export interface ServiceKeys {
  readonly pairs: PairKeys;
  readonly links: Secrets;
  readonly tokens?: TokenKeys;
}

const SECRET_BYTES = 32;
/** An Ed25519 private key in PKCS 8. */
const TOKEN_KEY_BYTES = 48;

/** Who may call whom (conventions, section 18). Everything else is refused for lack of a key. */
const CALLS: readonly (readonly [ServiceName, ServiceName])[] = [
  ...SERVICES.map((audience) => ['gateway', audience] as const),
  ['data-export', 'source-record-storage'],
  ['data-import', 'source-record-storage'],
  ['data-import', 'gateway'],
];

/** Every key of an installation, read from one folder. */
export class KeyRing {
  private constructor(
    private readonly pairs: ReadonlyMap<string, Secrets>,
    private readonly links: ReadonlyMap<ServiceName, Secrets>,
    private readonly tokens: TokenKeys,
  ) {}

  /**
   * @param dir `pair/<issuer>.<audience>`, `link/<service>` and `token` lie here.
   * @param create make what is missing (the embedded mode); otherwise a missing file refuses the start.
   */
  static async load(dir: string, create: boolean): Promise<KeyRing> {
    const secrets = (path: string): Promise<Secrets> =>
      create
        ? readOrMakeKeys(path, SECRET_BYTES, () => randomBytes(SECRET_BYTES))
        : readKeys(path, SECRET_BYTES);
    const pairs = new Map<string, Secrets>();
    for (const [issuer, audience] of CALLS) {
      pairs.set(
        pairName(issuer, audience),
        await secrets(join(dir, 'pair', pairName(issuer, audience))),
      );
    }
    const links = new Map<ServiceName, Secrets>();
    for (const service of SERVICES) links.set(service, await secrets(join(dir, 'link', service)));
    const path = join(dir, 'token');
    const tokens = create
      ? await readOrMakeKeys(path, TOKEN_KEY_BYTES, newTokenKey)
      : await readKeys(path, TOKEN_KEY_BYTES);
    return new KeyRing(pairs, links, tokenKeys(tokens));
  }

  of(service: ServiceName): ServiceKeys {
    const keyFor = (issuer: ServiceName, audience: ServiceName): Secrets | undefined =>
      issuer === service || audience === service
        ? this.pairs.get(pairName(issuer, audience))
        : undefined;
    const links = this.links.get(service) ?? [];
    return { pairs: { keyFor }, links, ...(service === 'gateway' ? { tokens: this.tokens } : {}) };
  }
}

/** {@link KeyRing.load} that makes missing keys: `(await loadKeys(dir)).of('data-export')`. */
export function loadKeys(dir: string): Promise<KeyRing> {
  return KeyRing.load(dir, true);
}

function pairName(issuer: ServiceName, audience: ServiceName): string {
  return `${issuer}.${audience}`;
}

function newTokenKey(): Buffer {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
}

function tokenKeys(lines: readonly KeyLine[]): TokenKeys {
  const keys = lines.map(({ id, bytes }) => ({
    id,
    key: createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' }),
  }));
  const [signing] = keys;
  if (!signing) throw new Error('There is no key for tokens.');
  return { signing, verifying: new Map(keys.map(({ id, key }) => [id, createPublicKey(key)])) };
}
