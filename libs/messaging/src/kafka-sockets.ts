import { connect as connectPlainly, isIP, type Socket } from 'node:net';
import { connect as connectByTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;

/**
 * The connections of a bus's clients, so that all can be ended. A client of kafkajs that is disconnected while a start or a
 * restart of it is under way connects again afterwards, and a connection keeps its process from ending.
 */
export class KafkaSockets {
  private readonly open = new Set<Socket>();
  private ended = false;

  /** As kafkajs makes them. */
  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- absent without TLS, whatever its type says
    const socket = ssl
      ? connectByTls({ host, port, ...name, ...ssl }, onConnect)
      : connectPlainly({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    if (this.ended) socket.destroy(new Error('The bus is closed.'));
    return socket;
  };

  /** Ends all of them; later ones fail at once. */
  end(): void {
    this.ended = true;
    for (const socket of this.open) socket.destroy();
  }
}
