import { join } from 'node:path';
import type { EventBus } from '@quire/messaging/event-bus';
import { InProcessBus } from '@quire/messaging/in-process.bus';
import { openKafkaBus } from '@quire/messaging/kafka.bus';
import { DiskStore } from '@quire/object-store/disk.store';
import type { ObjectStore } from '@quire/object-store/object-store';
import { openS3Store } from '@quire/object-store/s3.store';
import { systemClock } from '@quire/service/clock';
import type { Log } from '@quire/service/log';
import type { Metrics } from '@quire/service/metrics';
import { keepsObjects } from './combinations.js';
import type { QuireSettings } from './config.js';

/** What carries events and keeps objects, for all services of the process. */
export interface Backends {
  readonly bus: EventBus;
  /** Absent where no service of the process keeps objects: it needs no key to anybody's. */
  readonly store?: ObjectStore;
  /** Of a store that may be away for a while. */
  readonly storeCheck?: () => Promise<void>;
}

/**
 * Opens them. Neither a broker nor a server of objects needs to be there yet: they are connected to when they come.
 *
 * @param opened gets what has to be closed; the bus is closed by the services, before they stop
 * @throws ObjectStoreUnavailable when the folder of objects cannot be written
 * @throws S3SettingsRefused when the store refuses keys, region or bucket
 * @throws TopicsWrong when the broker is there and its topics are not as the settings say
 */
export async function openBackends(
  settings: QuireSettings,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
  opened: AsyncDisposableStack,
): Promise<Backends> {
  const { kafka } = settings;
  const bus = kafka
    ? await openKafkaBus(kafka, { clock: systemClock, log, watcher: metrics })
    : new InProcessBus();
  return { bus, ...(await openStore(settings, opened)) };
}

async function openStore(
  { runs, s3, dataDir }: QuireSettings,
  opened: AsyncDisposableStack,
): Promise<Pick<Backends, 'store' | 'storeCheck'>> {
  if (!runs.some(keepsObjects)) return {};
  if (s3) {
    const store = opened.use(await openS3Store(s3));
    return { store, storeCheck: () => store.ready() };
  }
  const store = await DiskStore.open(join(dataDir, 'objects'));
  await store.sweepTemporary(0);
  return { store };
}
