import pg from 'pg';
import { fromSource } from '../from-source.mjs';

/* Starts a server on the folder given, puts a row into it, says so, and waits to be killed. */
const { startPostgres } = await fromSource('postgres');
const postgres = await startPostgres({ dataDir: process.argv[2] });
const client = new pg.Client({ connectionString: postgres.url });
await client.connect();
await client.query('create table kept as select 7 as id');
console.log('started');
setInterval(() => {}, 60_000);
