import { createHmac, generateKeyPairSync } from 'node:crypto';
import type { TokenKeys } from '@quire/auth/keys';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { CompactEncrypt, SignJWT } from 'jose';
import { signToken } from '../src/domain/tokens.js';
import { World } from './world.js';

const ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
const JOB = `/data-export/job-executions/${ID}`;

describe('the public door', () => {
  let world: World;
  let token: string;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()));
    token = await world.login();
  });

  afterAll(() => world.stop());

  describe('refuses with 401 a token', () => {
    const base = () => {
      const seconds = Math.floor(Date.now() / 1000);
      return {
        kind: 'access',
        tenantId: 'library',
        userId: ID,
        username: 'admin',
        sessionId: ID,
        id: ID,
        issuedAt: seconds,
        expiresAt: seconds + 600,
      } as const;
    };
    const keys = (): TokenKeys => {
      const { tokens } = world.isolated.keys.of('gateway');
      if (!tokens) throw new Error('no keys');
      return tokens;
    };
    const claims = { user_id: ID, tenant: 'library', type: 'access', sid: ID };
    const jwt = (header: object = {}, change: object = {}) =>
      new SignJWT({ ...claims, ...change })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: keys().signing.id, ...header })
        .setIssuer('quire')
        .setAudience('quire')
        .setSubject('admin')
        .setJti('x')
        .setIssuedAt();
    const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

    it.each<[string, () => Promise<string> | string]>([
      ['that is no token', () => 'abc'],
      ['with another signature', () => `${token.slice(0, -6)}AAAAAA`],
      [
        'of another key',
        () => {
          const other = generateKeyPairSync('ed25519');
          return signToken(base(), {
            signing: { id: keys().signing.id, key: other.privateKey },
            verifying: new Map(),
          });
        },
      ],
      [
        'with an unknown kid',
        () => signToken(base(), { ...keys(), signing: { ...keys().signing, id: 'other' } }),
      ],
      [
        'that has expired',
        () =>
          signToken(
            { ...base(), issuedAt: base().issuedAt - 700, expiresAt: base().expiresAt - 640 },
            keys(),
          ),
      ],
      ['of the future', () => signToken({ ...base(), issuedAt: base().issuedAt + 120 }, keys())],
      ['that is a refresh token', () => signToken({ ...base(), kind: 'refresh' }, keys())],
      ['of a session that is not there', () => signToken(base(), keys())],
      [
        'for later',
        () => jwt().setNotBefore('5m').setExpirationTime('10m').sign(keys().signing.key),
      ],
      [
        'of another issuer',
        () => jwt().setIssuer('other').setExpirationTime('10m').sign(keys().signing.key),
      ],
      [
        'for another audience',
        () => jwt().setAudience('other').setExpirationTime('10m').sign(keys().signing.key),
      ],
      ['without an end', () => jwt().sign(keys().signing.key)],
      [
        'with a jku',
        () =>
          jwt({ jku: 'http://127.0.0.1:1/keys' }).setExpirationTime('10m').sign(keys().signing.key),
      ],
      [
        'without algorithm',
        () => `${text({ alg: 'none', typ: 'JWT' })}.${token.split('.')[1] ?? ''}.`,
      ],
      [
        'signed with the public key as a secret',
        () => {
          const head = `${text({ alg: 'HS256', typ: 'JWT', kid: keys().signing.id })}.${token.split('.')[1] ?? ''}`;
          const secret =
            keys().verifying.get(keys().signing.id)?.export({ format: 'der', type: 'spki' }) ?? '';
          return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
        },
      ],
      [
        'with an unknown critical header',
        () =>
          `${text({ alg: 'EdDSA', typ: 'JWT', kid: keys().signing.id, crit: ['x'], x: 1 })}.${token.split('.').slice(1).join('.')}`,
      ],
      [
        'that is encrypted',
        () =>
          new CompactEncrypt(Buffer.from('{}'))
            .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
            .encrypt(Buffer.alloc(32)),
      ],
    ])('%s', async (_, make) => {
      expect(
        await world.ask(JOB, {
          headers: { 'x-okapi-tenant': 'library', 'x-okapi-token': await make() },
        }),
      ).toMatchObject({
        status: 401,
        text: 'Invalid token',
      });
    });
  });
});
