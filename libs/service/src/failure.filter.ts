import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerOf } from './failure-answer.js';
import type { Log } from './log.js';

/** Every error of every request ends here. */
@Catch()
export class FailureFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // Errors of event handlers belong to the bus: it decides about retry and dead letter by the original.
    if (host.getType() !== 'http') throw error;
    const context = host.switchToHttp();
    const request = context.getRequest<FastifyRequest>();
    const reply = context.getResponse<FastifyReply>();
    const { status, headers, body, fault } = answerOf(error);
    if (fault) {
      const { method, routeOptions, caller } = request;
      const { requestId, tenantId } = caller ?? {};
      this.log.error(
        { err: error, method, route: routeOptions.url, status, requestId, tenantId },
        'request failed',
      );
    }
    if (reply.sent || reply.raw.headersSent) {
      // The answer has begun: a clean end would pass for a complete one.
      reply.raw.destroy();
      return;
    }
    // Fastify closes the connection of a refused body; the gateway decides that for the client's.
    for (const name of ['connection', 'content-length', 'content-disposition', 'etag']) {
      reply.removeHeader(name);
    }
    void reply.code(status).headers(headers).send(body);
  }
}
