import { lab } from '@quire/testing/lab/config';
import { testDatabase } from '@quire/testing/database';
import { openKafkaBus } from '../src/kafka.bus.js';
import { eventBusContract } from './event-bus.contract.js';
import { KafkaShelf } from './kafka-shelf.js';
import { SILENT, systemClock, Workshop } from './workshop.js';

(lab.kafka ? describe : describe.skip)('the bus on Kafka', () => {
  let shelf: KafkaShelf;

  eventBusContract({
    openShop: async () => {
      shelf = await KafkaShelf.open(lab.kafka?.brokers ?? []);
      return Workshop.open(await testDatabase(), 'kafka_spec');
    },
    makeBus: async () => {
      await shelf.clear();
      return openKafkaBus(shelf.settings, { clock: systemClock, log: SILENT, backoff: () => 0 });
    },
    deadLetters: () => shelf.deadLetters(),
    close: () => shelf[Symbol.asyncDispose](),
    knowsListeners: false,
  });
});
