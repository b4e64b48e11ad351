import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { unavailable } from '@quire/contracts/failure';
import {
  NearRequest,
  type NearAnswer,
  type NearCall,
  type Neighbour,
} from '@quire/service/neighbours';
import { isRead, WINDOW_MS, windowsOf } from './proxy.js';
import { relay } from './relay.js';

export interface NearPassage {
  readonly neighbour: Neighbour;
  readonly call: NearCall;
  readonly answerHeaders: OutgoingHttpHeaders;
}

const RETRY_SECONDS = 5;

/**
 * Carries a read to a service of the same process, with the promises of {@link Proxy}: aborts go through, an answer that stands
 * still for a window is 503, or cut when it has begun. Resolves when the answer has been sent; rejects only before it has begun.
 */
export async function passNear(
  request: IncomingMessage,
  response: ServerResponse,
  { neighbour, call, answerHeaders }: NearPassage,
  windowMs = WINDOW_MS,
): Promise<void> {
  const answer = neighbour(new NearRequest(request.socket, call));
  const giveUp = (): void => void answer.destroy();
  response.once('close', giveUp);
  const timer = setTimeout(giveUp, windowMs * windowsOf(request));
  try {
    const { statusCode: status, headers, whole } = await begun(answer);
    if (whole === undefined) answer.on('data', () => timer.refresh());
    await relay({
      request,
      response,
      answer: { status, headers, whole, body: answer },
      answerHeaders,
    });
  } finally {
    clearTimeout(timer);
    response.off('close', giveUp);
  }
}

/** A body of GET or HEAD means nothing, but it is on the connection and has to be read. */
export function isBodyless(request: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  return isRead(request) && length === '0' && encoding === undefined;
}

async function begun(answer: NearAnswer): Promise<NearAnswer> {
  try {
    return await answer.head();
  } catch (error) {
    throw unavailable(RETRY_SECONDS, { cause: error });
  }
}
