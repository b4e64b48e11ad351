import type { OpenApi } from './src/openapi.js';
import { wildRequests, type WildRequest } from './src/wild-requests.js';
import { fetchOnce, World } from './src/world.js';

/** Requests at a time. */
const AT_ONCE = 8;
/** Some thousand requests, beside other tests. */
const TIMEOUT_MS = 300_000;
/** After these nobody would look at the others any more. */
const ENDS_SESSIONS = /^\/authn\//;
/** Nobody has looked at what was sent. */
const UNSEEN = ['401', '403', '429'];

describe('whatever anybody sends', () => {
  let world: World;
  let headers: Readonly<Record<string, string>>;

  beforeAll(async () => {
    world = await World.open();
    headers = { 'x-okapi-tenant': 'library', 'x-okapi-token': await world.token() };
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const answerTo = async ({ method, target, type, body }: WildRequest): Promise<string> => {
    try {
      const response = await fetchOnce(world.url + target, {
        method,
        headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
        ...(body === undefined || method === 'GET' ? {} : { body }),
      });
      return `${response.status} ${(await response.text()).slice(0, 200)}`;
    } catch (error) {
      return `no answer: ${String(error)}`;
    }
  };

  it(
    'is answered, and never with an error of the server',
    async () => {
      const document = (await (await fetch(`${world.url}/openapi.json`)).json()) as OpenApi;
      const requests = wildRequests(document, (path) => !ENDS_SESSIONS.test(path));
      const faults: string[] = [];
      let seen = 0;
      const send = async (): Promise<void> => {
        for (const request of requests) {
          const answer = await answerTo(request);
          if (!/^[234]/.test(answer)) faults.push(`${described(request)}: ${answer}`);
          if (!UNSEEN.includes(answer.slice(0, 3))) seen += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, send));
      expect(faults).toEqual([]);

      expect(seen).toBeGreaterThan(3000);
    },
    TIMEOUT_MS,
  );
});

function described({ method, target, body = '' }: WildRequest): string {
  return `${method} ${target.slice(0, 200)} ${body.slice(0, 300)}`;
}
