import { main, pinnedNode, run } from './process.mjs';
import { prepare } from './setup.mjs';

/* `npm start`: set-up, then all services and their database, until Ctrl-C or SIGTERM. */
await main(async (args) => {
  return (
    (await prepare()) ||
    (await run(pinnedNode(), ['apps/quire/dist/src/main.js', 'start', ...args]))
  );
});
