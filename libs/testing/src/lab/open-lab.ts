import { environment, readEngineKind, type EngineKind, type Lab } from './config.js';
import type { Engine } from './engine.js';
import { KafkaBroker } from './kafka-broker.js';
import { EngineMissing } from './program-cache.js';
import { S3Server } from './s3-server.js';

export interface OpenLab extends AsyncDisposable {
  readonly lab: Lab;
  /** Of each engine that cannot be had on this machine, a sentence that says why. */
  readonly missing: readonly string[];
}

/** Starts a broker and a store, or what of the two can be had here. @param say gets the progress, in plain lines */
export async function openLab(say: (line: string) => void): Promise<OpenLab> {
  const wanted = readEngineKind(environment);
  if (wanted) return await openAs(wanted, say);
  const { hasContainerEngine } = await import('./container-host.js');
  if (!(await hasContainerEngine())) return await openAs('programs', say);
  try {
    return await openAs('containers', say);
  } catch (error) {
    say(`Not as containers: ${error instanceof Error ? error.message : String(error)}`);
    return await openAs('programs', say);
  }
}

async function openAs(engines: EngineKind, say: (line: string) => void): Promise<OpenLab> {
  const opened = new AsyncDisposableStack();
  const missing: string[] = [];
  async function had<E extends Engine>(open: (kind: EngineKind) => Promise<E>) {
    try {
      const engine = opened.use(await open(engines));
      say(`${engine.engine} runs`);
      return engine;
    } catch (error) {
      if (!(error instanceof EngineMissing)) throw error;
      missing.push(error.message);
      return undefined;
    }
  }
  try {
    say(`Starting Kafka and S3 as ${engines}; what is not there yet is fetched once …`);
    const broker = await had((kind) => KafkaBroker.open(kind));
    const s3 = await had((kind) => S3Server.open(kind));
    const lab: Lab = {
      ...(broker && { kafka: { engine: broker.engine, brokers: [broker.address] } }),
      ...(s3 && { s3 }),
      engines,
    };
    return { lab, missing, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}
