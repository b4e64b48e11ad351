import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { openSource } from '../src/migrate.js';

/** One message of the protocol: its type, and what it says. */
function message(type: string, ...parts: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      const number = Buffer.alloc(4);
      number.writeInt32BE(part);
      return number;
    }),
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const GREETING = Buffer.concat([message('R', 0), message('Z', 'I')]);
const LAST_WORDS = message(
  'E',
  'SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0',
);

describe('a connection', () => {
  let server: Server;

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      // In one piece: between the two nobody has the connection in hand yet.
      socket.once('data', () => socket.end(Buffer.concat([GREETING, LAST_WORDS])));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  it('that ends with its greeting is an error of who wanted it, and does not end the process', async () => {
    const { port } = server.address() as AddressInfo;
    const url = `postgres://somebody@127.0.0.1:${port}/somewhere`;
    await expect(openSource(url, 'data_export', () => 'password')).rejects.toThrow();
  });
});
