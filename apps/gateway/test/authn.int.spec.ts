import { setTimeout as pause } from 'node:timers/promises';
import { testClock } from '@quire/testing/clock';
import { testDatabase } from '@quire/testing/database';
import { PASSWORD, World, type Answer } from './world.js';

const JSON_TENANT = { 'x-okapi-tenant': 'library', 'content-type': 'application/json' };
const JOB = '/data-export/job-executions/7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';

/** Name and value of each cookie, and its attributes. */
function cookiesOf({ headers }: Answer): Record<string, { value: string; attributes: string }> {
  return Object.fromEntries(
    (headers['set-cookie'] ?? []).map((cookie) => {
      const [, name = '', value = '', attributes = ''] =
        /^([^=]+)=([^;]*); (.*)$/.exec(cookie) ?? [];
      return [name, { value, attributes }];
    }),
  );
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('logging in', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.start(await testDatabase(), testClock(new Date()));
  });

  afterAll(() => world.stop());

  // The limit of attempts per minute must not carry over from one test to the next.
  beforeEach(() => world.clock.advance(61_000));

  const post = (
    path: string,
    body?: object,
    headers: Record<string, string> = JSON_TENANT,
  ): Promise<Answer> =>
    world.ask(path, { method: 'POST', headers, ...(body ? { body: JSON.stringify(body) } : {}) });

  it('gives two cookies and their expirations', async () => {
    const answer = await post('/authn/login-with-expiry', {
      username: 'Admin',
      password: PASSWORD,
    });
    expect(answer.status).toBe(201);
    const body = JSON.parse(answer.text) as {
      accessTokenExpiration: string;
      refreshTokenExpiration: string;
    };
    expect(Object.keys(body)).toEqual(['accessTokenExpiration', 'refreshTokenExpiration']);
    for (const text of Object.values(body))
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { folioAccessToken: access, folioRefreshToken: refresh } = cookiesOf(answer);
    expect(access?.attributes).toMatch(
      /^Max-Age=(599|600); Expires=[^;]+ GMT; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(refresh?.attributes).toMatch(
      /^Max-Age=(604799|604800); Expires=[^;]+ GMT; Path=\/authn; HttpOnly; SameSite=Lax$/,
    );
    expect(claimsOf(access?.value ?? '')).toMatchObject({
      sub: 'admin',
      tenant: 'library',
      type: 'access',
    });
    expect(answer.headers.location).toBeUndefined();
  });

  it('for older clients gives the tokens themselves', async () => {
    const answer = await post('/authn/login', { username: 'admin', password: PASSWORD });
    const { okapiToken, refreshToken } = JSON.parse(answer.text) as {
      okapiToken: string;
      refreshToken: string;
    };
    expect(answer.status).toBe(201);
    expect(answer.headers['x-okapi-token']).toBe(okapiToken);
    const cookies = cookiesOf(answer);
    expect([cookies['folioAccessToken']?.value, cookies['folioRefreshToken']?.value]).toEqual([
      okapiToken,
      refreshToken,
    ]);
    const { iat, exp, user_id } = claimsOf(okapiToken);
    expect(Number(exp) - Number(iat)).toBe(86_400);
    expect((await world.ask(JOB, { headers: { 'x-okapi-token': okapiToken } })).status).toBe(200);
    expect(
      JSON.parse((await world.ask(JOB, { headers: { 'x-okapi-token': okapiToken } })).text),
    ).toMatchObject({
      caller: { tenantId: 'library', actorId: user_id, username: 'admin', issuer: 'gateway' },
    });
  });

  it('takes the tenant from the header, else from the body', async () => {
    const type = { 'content-type': 'application/json' };
    const body = { username: 'admin', password: PASSWORD };
    expect((await post('/authn/login', { ...body, tenant: 'library' }, type)).status).toBe(201);
    expect(await post('/authn/login', body, type)).toMatchObject({
      status: 400,
      text: 'Unable to process request Tenant must be set',
    });
    expect(
      await post('/authn/login', body, { ...type, 'x-okapi-tenant': 'nowhere' }),
    ).toMatchObject({ status: 400, text: 'No such Tenant nowhere' });
    expect(await post('/authn/login', body, { ...type, 'x-okapi-tenant': 'Bad-Id' })).toMatchObject(
      {
        status: 400,
        text: "Invalid tenant id, may only contain a-z and 0-9 and must match '[a-z][a-z0-9]{0,30}' but it is Bad-Id",
      },
    );
  });

  it('without a name or a password is 400', async () => {
    expect(await post('/authn/login', { password: PASSWORD })).toMatchObject({
      status: 400,
      text: 'You must provide a username or userId',
    });
    expect(await post('/authn/login', { username: 'admin' })).toMatchObject({
      status: 400,
      text: 'You must provide a password',
    });
    expect(await post('/authn/login', { username: 'admin', password: '' })).toMatchObject({
      status: 400,
      text: 'You must provide a password',
    });
    expect(await post('/authn/login')).toMatchObject({
      status: 400,
      text: 'HV000116: The object to be validated must not be null.',
    });
  });

  it('answers alike for a wrong password, an unknown user and an unknown id', async () => {
    const expected = {
      errors: [
        {
          message: 'Wrong username or wrong password or account blocked',
          type: 'error',
          code: 'wrong.username.or.wrong.password.or.account.blocked',
          parameters: [],
        },
      ],
      total_records: 1,
    };
    for (const who of [
      { username: 'admin' },
      { username: 'nobody' },

      { userId: '11111111-1111-4111-8111-111111111111' },
    ]) {
      const answer = await post('/authn/login-with-expiry', { ...who, password: 'wrong password' });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([422, expected]);
    }
    expect((await post('/authn/login', { username: 'admin', password: PASSWORD })).status).toBe(
      201,
    );
  });

  it('is blocked for 15 minutes by the fifth wrong password, and not longer', async () => {
    const attempt = (password: string) => post('/authn/login', { username: 'admin', password });
    for (let count = 0; count < 5; count += 1)
      expect((await attempt('wrong password')).status).toBe(422);
    expect((await attempt(PASSWORD)).status).toBe(422);
    world.clock.advance(14 * 60_000);
    expect((await attempt(PASSWORD)).status).toBe(422);
    world.clock.advance(60_000);
    expect((await attempt(PASSWORD)).status).toBe(201);
  });

  it('more than 20 times a minute for one name is 429', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 21; count += 1) {
      statuses.push(
        (await post('/authn/login', { username: 'somebody', password: 'wrong password' })).status,
      );
    }
    expect(statuses.slice(0, 20).every((status) => status === 422)).toBe(true);
    expect(statuses[20]).toBe(429);
    const refused = await post('/authn/login', {
      username: 'somebody',
      password: 'wrong password',
    });
    expect(refused.text).toMatch(/^Too many requests, retry in \d+ s$/);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  describe('a refresh', () => {
    const login = async () =>
      cookiesOf(await post('/authn/login-with-expiry', { username: 'admin', password: PASSWORD }));
    const refresh = (token: string | undefined, headers: Record<string, string> = JSON_TENANT) =>
      post('/authn/refresh', undefined, {
        ...headers,
        cookie: `x=1;folioRefreshToken=${token ?? ''}`,
      });

    it('gives new cookies; the same again for a twin within 10 s; ends the session later', async () => {
      const { folioRefreshToken: first } = await login();
      const one = await refresh(first?.value);
      const twin = await refresh(first?.value, {});
      expect([one.status, twin.status]).toEqual([201, 201]);
      expect(cookiesOf(twin)).toEqual(cookiesOf(one));
      const next = cookiesOf(one);
      expect(next['folioRefreshToken']?.value).not.toBe(first?.value);
      expect(
        (
          await world.ask(JOB, {
            headers: { cookie: `folioAccessToken=${next['folioAccessToken']?.value ?? ''}` },
          })
        ).status,
      ).toBe(200);

      world.clock.advance(11_000);
      const late = await refresh(first?.value);
      expect(JSON.parse(late.text)).toEqual({
        errors: [
          {
            message: 'Authorization server unable to process token refresh request',
            type: 'error',
            code: 'token.refresh.unprocessable',
            parameters: [],
          },
        ],
        total_records: 1,
      });
      expect((await refresh(next['folioRefreshToken']?.value)).status).toBe(422);
      expect(
        await world.ask(JOB, {
          headers: { cookie: `folioAccessToken=${next['folioAccessToken']?.value ?? ''}` },
        }),
      ).toMatchObject({ status: 401, text: 'Invalid token' });
    });

    it('by two clients at once logs nobody out', async () => {
      const { folioRefreshToken: token } = await login();
      const both = await Promise.all([refresh(token?.value), refresh(token?.value)]);
      expect(both.map((answer) => answer.status)).toEqual([201, 201]);
      expect(cookiesOf(both[0])).toEqual(cookiesOf(both[1]));
    });

    it('without a cookie, or with two that differ, is 400 in JSON', async () => {
      const { folioRefreshToken: token } = await login();
      for (const cookie of [
        '',
        `folioRefreshToken=${token?.value ?? ''}; folioRefreshToken=other`,
      ]) {
        const answer = await post('/authn/refresh', undefined, { ...JSON_TENANT, cookie });
        expect([answer.status, JSON.parse(answer.text)]).toEqual([
          400,
          {
            errors: [
              {
                message: 'Bad request',
                type: 'error',
                code: 'token.parse.failure',
                parameters: [],
              },
            ],
            total_records: 1,
          },
        ]);
      }
      expect((await post('/authn/refresh', { refreshToken: token?.value })).status).toBe(201);
    });

    it('token is no access token', async () => {
      const { folioRefreshToken: token } = await login();
      const headers = { 'x-okapi-token': token?.value ?? '' };
      expect(await world.ask(JOB, { headers })).toMatchObject({
        status: 401,
        text: 'Invalid token',
      });
    });

    it('with an access token or a broken one is 422', async () => {
      const { folioAccessToken: access, folioRefreshToken: token } = await login();
      expect((await refresh(access?.value)).status).toBe(422);
      expect((await refresh(`${token?.value ?? ''}x`)).status).toBe(422);
    });
  });

  describe('a logout', () => {
    it('ends the session and clears both cookies', async () => {
      const token = await world.login();
      const answer = await post('/authn/logout', undefined, {
        ...JSON_TENANT,
        'x-okapi-token': token,
      });
      expect(answer.status).toBe(204);
      expect(cookiesOf(answer)).toEqual({
        folioAccessToken: {
          value: '',
          attributes: 'Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax',
        },
        folioRefreshToken: {
          value: '',
          attributes: 'Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/authn; HttpOnly; SameSite=Lax',
        },
      });
      expect(await world.ask(JOB, { headers: { 'x-okapi-token': token } })).toMatchObject({
        status: 401,
        text: 'Invalid token',
      });
    });

    it('works with the refresh cookie alone', async () => {
      const cookies = cookiesOf(
        await post('/authn/login-with-expiry', { username: 'admin', password: PASSWORD }),
      );
      const cookie = `folioRefreshToken=${cookies['folioRefreshToken']?.value ?? ''}`;
      expect((await post('/authn/logout', undefined, { ...JSON_TENANT, cookie })).status).toBe(204);
      expect((await post('/authn/refresh', undefined, { ...JSON_TENANT, cookie })).status).toBe(
        422,
      );
    });

    it('without a token that can be used is 422', async () => {
      const answer = await post('/authn/logout');
      expect(answer.status).toBe(422);
      expect(JSON.parse(answer.text)).toMatchObject({
        errors: [{ code: 'token.logout.unprocessable' }],
      });
    });
  });

  it('takes as long for an unknown user as for a wrong password', async () => {
    const time = async (username: string): Promise<number> => {
      world.clock.advance(61_000);
      const start = performance.now();
      for (let count = 0; count < 4; count += 1)
        await post('/authn/login', { username, password: 'wrong password' });
      await pause(0);
      return performance.now() - start;
    };
    // The best of three in turn: other work on the machine only ever makes one of them slower.
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      known.push(await time('admin'));
      unknown.push(await time('nobody'));
    }
    expect(Math.min(...unknown) / Math.min(...known)).toBeGreaterThan(0.4);
    world.clock.advance(20 * 60_000);
  });
});
