import { testDatabase } from '@quire/testing/database';
import { InProcessBus } from '../src/in-process.bus.js';
import { eventBusContract } from './event-bus.contract.js';
import { Workshop } from './workshop.js';

describe('the bus in process', () => {
  eventBusContract(
    async () => Workshop.open(await testDatabase(), 'in_process_spec'),
    () => new InProcessBus(() => 0),
  );
});
