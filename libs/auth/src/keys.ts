import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { join } from 'node:path';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';
import { readKeys, readOrMakeKeys, type KeyLine } from './key-files.js';

/** A secret of 32 bytes or more. */
export interface Secret {
  readonly id: string;
  /** NOTE: not its bytes: Node would make a key of them for every signature, which takes four times as long as signing. */
  readonly key: KeyObject;
}

/** The first signs, each of them verifies. */
export type Secrets = readonly Secret[];

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

/** Services that this one calls. */
export function calledBy(service: ServiceName): readonly ServiceName[] {
  return CALLS.filter(([issuer]) => issuer === service).map(([, audience]) => audience);
}

/** A file of the keys folder, and how to make a key for it. */
export interface KeyFile {
  /** In the folder: `pair/gateway.data-export`. */
  readonly path: string;
  readonly bytesMin: number;
  readonly make: () => Buffer;
}

/** All that the service may hold: the pairs it belongs to, its own link key, and, for the gateway, the token keys. */
export function keyFilesOf(service: ServiceName): readonly KeyFile[] {
  const pairs = CALLS.filter((pair) => pair.includes(service)).map(([issuer, audience]) =>
    secretFile(pairPath(issuer, audience)),
  );
  const own = [...pairs, secretFile(linkPath(service))];
  return service === 'gateway' ? [...own, TOKEN_FILE] : own;
}

/** The keys of some services, read from one folder. */
export class KeyRing {
  private constructor(private readonly files: ReadonlyMap<string, readonly KeyLine[]>) {}

  /**
   * @param dir `pair/<issuer>.<audience>`, `link/<service>` and `token` lie here; of other services none are read.
   * @param create make what is missing (the embedded mode).
   * @throws KeyFileRefused for a missing or malformed file, or a key too short to be a secret
   */
  static async load(
    dir: string,
    { services, create }: { readonly services: readonly ServiceName[]; readonly create: boolean },
  ): Promise<KeyRing> {
    const files = new Map<string, readonly KeyLine[]>();
    for (const { path, bytesMin, make } of services.flatMap(keyFilesOf)) {
      if (files.has(path)) continue;
      const file = join(dir, path);
      files.set(
        path,
        create ? await readOrMakeKeys(file, bytesMin, make) : await readKeys(file, bytesMin),
      );
    }
    return new KeyRing(files);
  }

  of(service: ServiceName): ServiceKeys {
    const secrets = new Map([...this.files].map(([path, lines]) => [path, lines.map(secretOf)]));
    const keyFor = (issuer: ServiceName, audience: ServiceName): Secrets | undefined =>
      issuer === service || audience === service
        ? secrets.get(pairPath(issuer, audience))
        : undefined;
    const links = secrets.get(linkPath(service)) ?? [];
    const tokens = service === 'gateway' ? this.files.get(TOKEN_FILE.path) : undefined;
    return { pairs: { keyFor }, links, ...(tokens ? { tokens: tokenKeys(tokens) } : {}) };
  }
}

/** {@link KeyRing.load} that makes the missing keys of all services: `(await loadKeys(dir)).of('data-export')`. */
export function loadKeys(dir: string): Promise<KeyRing> {
  return KeyRing.load(dir, { services: SERVICES, create: true });
}

function pairPath(issuer: ServiceName, audience: ServiceName): string {
  return `pair/${issuer}.${audience}`;
}

function linkPath(service: ServiceName): string {
  return `link/${service}`;
}

function secretFile(path: string): KeyFile {
  return { path, bytesMin: SECRET_BYTES, make: () => randomBytes(SECRET_BYTES) };
}

function secretOf({ id, bytes }: KeyLine): Secret {
  return { id, key: createSecretKey(bytes) };
}

const TOKEN_FILE: KeyFile = { path: 'token', bytesMin: TOKEN_KEY_BYTES, make: newTokenKey };

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
