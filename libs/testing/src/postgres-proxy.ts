import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { quietPorts } from './quiet-ports.js';

interface Cut {
  readonly text: string;
  readonly committed: boolean;
  readonly done: () => void;
}

/**
 * A way to PostgreSQL that a spec can cut: a TCP proxy that knows no more of the protocol than what a commit looks like.
 *
 *     await using proxy = await PostgresProxy.open(database.url);
 *     const cut = proxy.cutAfterCommitOf('name of what is written');
 *     await write(proxy.url);   // committed, but whoever wrote it is not told
 *     await cut;
 *     await proxy.goAway();     // connections are reset, and new ones refused …
 *     await proxy.comeBack();   // … until here
 */
export class PostgresProxy implements AsyncDisposable {
  private readonly ways = new Set<Socket>();
  private cut: Cut | undefined;
  private lastText: { readonly text: string; readonly said: () => void } | undefined;

  private constructor(
    private readonly target: URL,
    private readonly server: Server,
    private readonly port: number,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async open(databaseUrl: string): Promise<PostgresProxy> {
    // While it is away, nobody else may be given its port.
    const [port = 0] = await quietPorts(1);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new PostgresProxy(new URL(databaseUrl), server, port);
  }

  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  /**
   * Lets the next transaction that sends this text commit, and resets its connection in place of the answer.
   *
   * @returns when that has happened
   */
  cutAfterCommitOf(text: string): Promise<void> {
    return this.cutting(text, true);
  }

  /** Resets the connection of the next transaction that sends this text in place of its COMMIT. */
  cutBeforeCommitOf(text: string): Promise<void> {
    return this.cutting(text, false);
  }

  /** Goes away when this text is sent, in place of passing it on. @returns when that has happened */
  async goAwayAt(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.lastText = { text, said: resolve };
    await promise;
    await this.goAway();
  }

  async goAway(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const way of this.ways) way.resetAndDestroy();
    await closed;
  }

  async comeBack(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server.listening) await this.goAway();
  }

  private cutting(text: string, committed: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.cut = { text, committed, done: resolve };
    return promise;
  }

  private join(client: Socket): void {
    const { hostname, port } = this.target;
    const upstream = connect(Number(port), hostname);
    const reset = (cut: Cut): void => {
      this.cut = undefined;
      client.resetAndDestroy();
      cut.done();
    };
    let transaction = '';
    let unheard: Cut | undefined;
    client.on('data', (bytes) => {
      if (this.lastText && bytes.includes(this.lastText.text)) {
        this.lastText.said();
        this.lastText = undefined;
        return;
      }
      transaction += bytes.toString('latin1');
      const commits = /commit\0/i.test(transaction);
      const { cut } = this;
      const hit = commits && cut && transaction.includes(cut.text) ? cut : undefined;
      if (commits || /rollback\0/i.test(transaction)) transaction = '';
      if (hit && !hit.committed) reset(hit);
      else upstream.write(bytes);
      unheard = hit?.committed ? hit : undefined;
    });
    upstream.on('data', (bytes) => {
      if (unheard) reset(unheard);
      else client.write(bytes);
    });
    for (const [way, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.ways.add(way);
      way.on('error', () => undefined);
      way.on('close', () => {
        this.ways.delete(way);
        other.destroy();
      });
    }
  }
}
