import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AssertionVerifier } from '@quire/auth/assertion';
import type { ServiceKeys } from '@quire/auth/keys';
import { uuidBytes } from '@quire/contracts/ids';

/** A stored record as source-record-storage would have it. */
export interface StoredSource {
  readonly bytes: Buffer;
  readonly deleted?: boolean;
  /** Matched ids of further records with the same id. */
  readonly others?: readonly string[];
}

/** A request for a list of ids. */
export interface ListAsked {
  readonly path: string;
  readonly tenantId: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The ids to answer, or how the list misbehaves. */
export type ListAnswer = readonly string[] | 'cut' | 'busy' | { status: number; text: string };

const LISTS: ReadonlySet<string> = new Set([
  '/internal/instance-ids',
  '/source-storage/stream/marc-record-identifiers',
]);

/**
 * A source-record-storage of its own: a real HTTP server that checks the assertion and answers ids in frames. Tests say
 * what it has and how it misbehaves.
 */
export class FramesServer {
  /** By `<tenant>:<id>`. */
  readonly records = new Map<string, StoredSource | 'no content'>();
  /** Called before each answer; may wait, and names a misbehaviour. */
  before: (ids: readonly string[]) => Promise<'cut' | 'busy' | 'out of order' | 'fine'> = () =>
    Promise.resolve('fine');
  /** Called for each list of ids. */
  list: (asked: ListAsked) => Promise<ListAnswer> = () => Promise.resolve([]);
  /** Lists asked for so far. */
  readonly lists: ListAsked[] = [];
  /** Requests so far: id type and number of ids. */
  readonly requests: { readonly idType: string; readonly count: number }[] = [];
  private readonly verifier: AssertionVerifier;

  private constructor(
    private readonly server: Server,
    keys: ServiceKeys,
  ) {
    this.verifier = new AssertionVerifier('source-record-storage', keys.pairs);
    server.on('request', (request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(keys: ServiceKeys): Promise<FramesServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FramesServer(server, keys);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = this.verifier.verify(
      String(request.headers['x-internal-assertion']),
      { method: request.method ?? '', target: request.url ?? '' },
      new Date(),
    );
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const url = new URL(request.url ?? '', 'http://localhost');
    if (caller?.issuer === 'data-export' && LISTS.has(url.pathname)) {
      // eslint-disable-next-line no-restricted-properties -- a test's own small body
      const body = JSON.parse(Buffer.concat(parts).toString()) as ListAsked['body'];
      await this.answerList({ path: url.pathname, tenantId: caller.tenantId, body }, response);
      return;
    }
    const framed = request.headers.accept === 'application/octet-stream';
    const known = url.pathname === '/source-storage/stream/source-records';
    if (!caller || caller.issuer !== 'data-export' || !framed || !known) {
      response.writeHead(401).end();
      return;
    }
    // eslint-disable-next-line no-restricted-properties -- a test's own small body
    const ids = JSON.parse(Buffer.concat(parts).toString()) as string[];
    this.requests.push({ idType: url.searchParams.get('idType') ?? '', count: ids.length });
    const mood = await this.before(ids);
    if (mood === 'busy') {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    const end = mood === 'cut' ? Math.floor(ids.length / 2) : ids.length;
    const shift = mood === 'out of order' ? 1 : 0;
    for (let index = 0; index < end; index += 1) {
      const more = response.write(
        this.frame(`${caller.tenantId}:${ids[index] ?? ''}`, index + shift),
      );
      if (!more) await new Promise((resolve) => response.once('drain', resolve));
    }
    if (mood === 'cut') response.destroy();
    else response.end(frame(0, ids.length));
  }

  private async answerList(asked: ListAsked, response: ServerResponse): Promise<void> {
    this.lists.push(asked);
    const answer = await this.list(asked);
    if (answer === 'busy') response.writeHead(503).end();
    else if (answer === 'cut') {
      response.writeHead(200).write(`{"ids":[{"id":"`);
      response.destroy();
    } else if ('text' in answer) response.writeHead(answer.status).end(answer.text);
    else await writeList(asked.path, answer, response);
  }

  private frame(key: string, index: number): Buffer {
    const record = this.records.get(key);
    if (!record) return frame(2, index);
    if (record === 'no content') return frame(3, index);
    const head = Buffer.alloc(35);
    head[0] = record.deleted ? 1 : 0;
    const { others = [] } = record;
    const id = uuidBytes(key.split(':')[1] ?? '');
    head.writeUInt16BE(others.length, 1);
    id.copy(head, 3);
    const found = frame(1, index, head, record.bytes);
    if (others.length === 0) return found;
    // eslint-disable-next-line no-restricted-properties -- two frames of a test
    return Buffer.concat([found, frame(5, index, id, ...others.map(uuidBytes))]);
  }
}

async function writeList(
  path: string,
  ids: readonly string[],
  response: ServerResponse,
): Promise<void> {
  const queried = path === '/internal/instance-ids';
  response.writeHead(200).write(queried ? '{"ids":[' : '{"records":[');
  for (let start = 0; start < ids.length; start += 1000) {
    const some = ids
      .slice(start, start + 1000)
      .map((id) => (queried ? `{"id":"${id}"}` : `"${id}"`));
    const more = response.write(`${start > 0 ? ',' : ''}${some.join(',')}`);
    if (!more) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end(queried ? `],"totalRecords":${ids.length}}` : `],"totalCount":${ids.length}}`);
}

/** As `source-record-storage.md`, section 6, has it. */
export function frame(kind: number, index: number, ...rest: readonly Buffer[]): Buffer {
  const bytes = rest.reduce((sum, part) => sum + part.length, 5);
  const out = Buffer.alloc(4 + bytes);
  out.writeUInt32BE(bytes, 0);
  out[4] = kind;
  out.writeUInt32BE(index, 5);
  let at = 9;
  for (const part of rest) at += part.copy(out, at);
  return out;
}
