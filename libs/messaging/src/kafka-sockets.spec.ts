import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { KafkaSockets } from './kafka-sockets.js';

describe('the connections of a bus', () => {
  it('all end with it, and none begins afterwards', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const sockets = new KafkaSockets();
    const open = (): Socket =>
      sockets.factory({
        host: '127.0.0.1',
        port,
        ssl: undefined as never,
        onConnect: () => undefined,
      });
    const early = open();
    await once(early, 'connect');
    const closed = once(early, 'close');
    sockets.end();
    await closed;
    const late = open();
    await expect(once(late, 'connect')).rejects.toThrow('The bus is closed.');
    // Waits for every connection that is still open.
    await new Promise((resolve) => server.close(resolve));
  });
});
