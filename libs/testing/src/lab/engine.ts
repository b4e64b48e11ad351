import { setTimeout as delay } from 'node:timers/promises';

/*
 * A broker or a store that a test starts, kills, starts again on the same data and addresses, and wipes.
 *
 * States: stopped → running (it was asked and answered) → stopped by `stop` or `kill`. `wipe` needs it stopped.
 */

/** How an engine runs: as a program or as a container. */
export interface EngineHost {
  /** Runs it on its data and ports; it need not answer yet. */
  launch(): Promise<RunningEngine>;
  /** Removes the data; the next launch begins with none. Only while it is stopped. */
  wipe(): Promise<void>;
  /** Removes everything for good. Only while it is stopped. */
  remove(): Promise<void>;
}

export interface RunningEngine {
  readonly hasEnded: boolean;
  /** What it wrote last. */
  readonly lastWords: string;
  /** Nothing of it runs until it is continued: its connections stay open, and nobody answers. */
  freeze(): Promise<void>;
  continue(): Promise<void>;
  /** SIGTERM asks it to close its files; SIGKILL is a power cut without the machine. Resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const READY_TIMEOUT_MS = 180_000; // 4 s alone on two cores; a loaded machine takes its time
const READY_POLL_MS = 50;

export abstract class Engine implements AsyncDisposable {
  #running: RunningEngine | undefined;

  protected constructor(
    /** Name and version, for people. */
    readonly engine: string,
    private readonly host: EngineHost,
  ) {}

  /** Whether it does its work, found out by asking it. May throw as well. */
  protected abstract answers(): Promise<boolean>;

  /** Starts it and resolves when it answers. @throws Error with its last words when it ends or stays silent */
  async start(): Promise<void> {
    if (this.#running) throw new Error(`${this.engine} runs already.`);
    const running = await this.host.launch();
    this.#running = running;
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    while (!(await this.answers().catch(() => false)) || running.hasEnded) {
      if (running.hasEnded || performance.now() > giveUpAt) {
        const { hasEnded, lastWords } = running;
        await this.kill();
        const how = hasEnded ? 'ended' : `did not answer within ${READY_TIMEOUT_MS / 1000} s`;
        throw new Error(`${this.engine} ${how} as it started: ${lastWords}`);
      }
      await delay(READY_POLL_MS);
    }
  }

  /** Asks it to end and waits until it has. Does nothing when it is stopped. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends it as `kill -9` does. Does nothing when it is stopped. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Lets it answer nothing until it is continued, with its connections open. It must run, and be continued before it is stopped. */
  async freeze(): Promise<void> {
    await this.#running?.freeze();
  }

  async continue(): Promise<void> {
    await this.#running?.continue();
  }

  /** Removes its data, as a lost disk does. */
  async wipe(): Promise<void> {
    if (this.#running) throw new Error(`${this.engine} runs: stop or kill it before its data go.`);
    await this.host.wipe();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.host.remove();
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.end(signal);
  }
}

const START_TRIES_MAX = 3;

/**
 * Starts a new engine on ports of its choice. Between the choice of a free port and the engine's bind another process may
 * take it, so a start that fails is tried again elsewhere.
 */
export async function startElsewhere<E extends Engine>(make: () => Promise<E>): Promise<E> {
  for (let triesLeft = START_TRIES_MAX; ; triesLeft -= 1) {
    const engine = await make();
    try {
      await engine.start();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      if (triesLeft === 1) throw error;
    }
  }
}
