import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { QuireClient } from '@quire/quire/cli/client';
import { CommandFailure, EXIT, exitCodeOf } from '@quire/quire/cli/exit-codes';
import type { Gate } from './gate.js';

/**
 * Asks as a careful script does: what was not answered, or answered with "later", is asked again at the next door. Its
 * requests bear being repeated, because they name their ids or an `Idempotency-Key`.
 */
const PAUSE_MS = 250;
/** Outages of a run are over long before; one that lasts longer is said. */
const PATIENCE_MS = 180_000;
/** What an outage may be answered with: 502, 503, 504, and 409 while the first try still runs. */
const LATER = /answered (502|503|504|409)\b/;

const TENANT = 'library';
const USERNAME = 'admin';

export class PatientClient {
  private at = 0;
  /** How often something was asked for once more. */
  askedAgain = 0;
  /** Answers that no outage excuses. */
  readonly faults: string[] = [];

  private constructor(
    private readonly urls: readonly string[],
    private readonly password: string,
    private readonly doors: readonly QuireClient[],
    readonly outageMs: number,
  ) {}

  /** @param outageMs by how much longer than usual something may be away */
  static of(urls: readonly string[], password: string, outageMs = 0): PatientClient {
    const doors = urls.map(
      (url) => new QuireClient({ url, tenant: TENANT, username: USERNAME, password }),
    );
    return new PatientClient(urls, password, doors, outageMs);
  }

  /** Another one behind the same log-ins, of which there may be only so many a minute. It needs no closing. */
  sibling(): PatientClient {
    return new PatientClient(this.urls, this.password, this.doors, this.outageMs);
  }

  /** @param ask is run until it is answered @throws what is no matter of an outage */
  ask<T>(ask: (client: QuireClient) => Promise<T>): Promise<T> {
    return this.patiently(() => {
      const client = this.doors[this.at % this.doors.length];
      if (!client) throw new Error('There is no door.');
      return ask(client);
    });
  }

  /** One more log-in, of which the gate may hold the second half. @throws CommandFailure when it is refused */
  logIn(gate: Gate): Promise<void> {
    return this.patiently(() => logIn(this.urls[this.at % this.urls.length], this.password, gate));
  }

  close(): void {
    for (const door of this.doors) door.close();
  }

  private async patiently<T>(ask: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + PATIENCE_MS + this.outageMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!isPassing(error) || performance.now() > giveUpAt) throw error;
        if (error instanceof CommandFailure && /answered 500\b/.test(error.message))
          this.faults.push(error.message);
        this.at += 1;
        this.askedAgain += 1;
        await delay(PAUSE_MS);
      }
    }
  }
}

async function logIn(url = '', password: string, gate: Gate): Promise<void> {
  const body = Buffer.from(JSON.stringify({ username: USERNAME, password }));
  const request = httpRequest(`${url}/authn/login`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      'x-okapi-tenant': TENANT,
    },
  });
  // The second half may meet a connection whose end was told of already.
  request.on('error', () => undefined);
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  const half = body.length >> 1;
  request.write(body.subarray(0, half), () => {
    void gate.pass('logging in').then(() => request.end(body.subarray(half)));
  });
  const [answer] = await answered;
  answer.resume();
  const status = answer.statusCode ?? 0;
  if (status !== 201)
    throw new CommandFailure(exitCodeOf(status), `The log-in was answered ${status}.`);
}

/** Errors without an answer are those of the connection. A 500 is repeated too, and told. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof CommandFailure)) return true;
  return (
    error.exitCode === EXIT.unreachable ||
    LATER.test(error.message) ||
    /answered 500\b/.test(error.message)
  );
}
