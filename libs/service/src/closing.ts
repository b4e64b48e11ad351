import type { Server } from 'node:http';

const IDLE_LOOK_MS = 50;

/**
 * While a server closes, Node ends only those connections that are idle at its beginning; one whose answer ends later is kept
 * for the next request, and the close waits for it. This ends such connections too.
 *
 * @returns to be called when the server is closed
 */
export function endIdleConnections(server: Server): () => void {
  const timer = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  return () => clearInterval(timer);
}
