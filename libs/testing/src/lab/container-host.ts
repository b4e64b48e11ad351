import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
} from 'testcontainers';
import type { EngineHost, RunningEngine } from './engine.js';

/** Whether a container engine answers on this machine. Takes some milliseconds where there is none. */
export async function hasContainerEngine(): Promise<boolean> {
  return await getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** A container whose ports are open on loopback only; the library itself opens them to the world. */
export class LoopbackContainer extends GenericContainer {
  protected override beforeContainerCreated(): Promise<void> {
    const bindings = this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>;
    for (const binding of Object.values(bindings).flat()) binding.HostIp = '127.0.0.1';
    return Promise.resolve();
  }
}

const STOP_TIMEOUT_S = 15;

/**
 * An engine as a container, which keeps its data while it is stopped. If we are killed, the library's reaper, a container
 * too, removes ours.
 */
export class ContainerHost implements EngineHost {
  private container: StartedTestContainer | undefined;

  /** @param describe a new container of that engine, with its ports fixed */
  constructor(private readonly describe: () => GenericContainer) {}

  async launch(): Promise<RunningEngine> {
    if (this.container) await (await this.handle(this.container)).start();
    else this.container = await this.describe().start();
    return this.running(this.container);
  }

  async wipe(): Promise<void> {
    const { container } = this;
    this.container = undefined;
    if (container) await (await this.handle(container)).remove({ force: true, v: true });
  }

  remove(): Promise<void> {
    return this.wipe();
  }

  private async running(container: StartedTestContainer): Promise<RunningEngine> {
    const handle = await this.handle(container);
    const engine = {
      hasEnded: false,
      lastWords: `see \`docker logs ${container.getId()}\``,
      freeze: async () => void (await handle.pause()),
      continue: async () => void (await handle.unpause()),
      end: async (signal: 'SIGTERM' | 'SIGKILL') => {
        if (engine.hasEnded) return;
        if (signal === 'SIGKILL') await handle.kill();
        else await handle.stop({ t: STOP_TIMEOUT_S });
        await ended;
      },
    };
    const ended = handle.wait().then(
      () => void (engine.hasEnded = true),
      () => void (engine.hasEnded = true),
    );
    return engine;
  }

  private async handle(container: StartedTestContainer) {
    return (await getContainerRuntimeClient()).container.getById(container.getId());
  }
}
