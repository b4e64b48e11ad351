import { prepareTopics } from '@quire/messaging/kafka-topics';
import { openS3Store } from '@quire/object-store/s3.store';
import { prepareDatabase } from '@quire/postgres/migrate';
import { parseCommandLine, type Environment } from './cli/arguments.js';
import { EXIT, type ExitCode } from './cli/exit-codes.js';
import { readMigrationSettings } from './config.js';
import { appPasswords, withFreshOwners } from './roles.js';
import { definitionsOf } from './services.js';

/**
 * `quire migrate`: the one step that makes what separate processes stand on, before their first start and before each
 * version: schemas, roles with their passwords, tables, topics and the bucket. Repeatable; an advisory lock keeps two runs
 * apart. `DATABASE_URL` names a role that may create roles here, which no service may know.
 *
 * @throws SettingsWrong; Error of the database, the broker or the object store, which must be there
 */
export async function migrate(
  words: readonly string[],
  environment: Environment,
): Promise<ExitCode> {
  parseCommandLine(words, {});
  const settings = readMigrationSettings(environment);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const { kafka, s3 } = settings;
  if (kafka) {
    const { made, found } = await prepareTopics(kafka);
    say(`topics ready: ${made.length} made, ${found} found`);
  }
  if (s3) {
    using store = await openS3Store(s3);
    await store.ready();
    say(`bucket ready: ${s3.bucket}`);
  }
  // Last: services that wait for their tables find everything else when these are there.
  const schemas = definitionsOf(settings).map((one) => one.schema);
  await prepareDatabase(
    settings.databaseUrl ?? '',
    schemas,
    withFreshOwners(appPasswords(settings)),
  );
  say(`database ready: ${schemas.map(({ schema }) => schema).join(', ')}`);
  return EXIT.done;
}
