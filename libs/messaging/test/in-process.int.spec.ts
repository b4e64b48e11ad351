import { testDatabase } from '@quire/testing/database';
import { InProcessBus } from '../src/in-process.bus.js';
import { eventBusContract } from './event-bus.contract.js';
import { Workshop } from './workshop.js';

describe('the bus in process', () => {
  eventBusContract({
    openShop: async () => Workshop.open(await testDatabase(), 'in_process_spec'),
    makeBus: () => new InProcessBus(() => 0),
    deadLetters: () => Promise.resolve([]),
    close: () => Promise.resolve(),
    knowsListeners: true,
  });
});
