import { createReadStream } from 'node:fs';
import { testDatabase } from '@quire/testing/database';
import { ImportWorld } from './import-world.js';

it('bench', async () => {
  const database = await testDatabase();
  const world = await ImportWorld.start(database.url);
  for (const n of [1, 1, 1, 1]) {
    const drafted = await world.draft();
    const c0 = process.cpuUsage();
    const at = performance.now();
    const answer = await world.upload(drafted, createReadStream('/tmp/100k.mrc', { highWaterMark: 1 << 20 }));
    const s = (performance.now() - at) / 1000;
    const c = process.cpuUsage(c0);
    process.stderr.write(`${answer.status} ${(n * 215.494655 / s).toFixed(0)} MB/s; user ${(c.user/1e6).toFixed(2)} sys ${(c.system/1e6).toFixed(2)}\n`);
  }
  await world[Symbol.asyncDispose]();
  await database.close();
}, 120000);
