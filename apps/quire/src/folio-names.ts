import type { Environment } from '@quire/service/config';

/**
 * The environment with those names of FOLIO read as ours that say the same in another form, so that a deployment made for
 * its modules needs no second spelling. Where both are set ours wins. `KAFKA_HOST`, `KAFKA_PORT`, `REPLICATION_FACTOR` and
 * `S3_…` are our names too.
 */
export function withFolioNames(env: Environment): Environment {
  return {
    ...env,
    ...missing(env, 'DATABASE_URL', databaseUrl(env)),
    ...missing(env, 'KAFKA_TOPIC_PREFIX', topicPrefix(env)),
  };
}

const POSTGRES_PORT = '5432';

function databaseUrl(env: Environment): string | undefined {
  const { DB_HOST: host, DB_PORT: port, DB_DATABASE: database } = env;
  if (!isSet(host)) return undefined;
  const { DB_USERNAME: username, DB_PASSWORD: password } = env;
  const login = [username, password].filter(isSet).map(encodeURIComponent).join(':');
  const at = `${host}:${isSet(port) ? port : POSTGRES_PORT}`;
  return `postgres://${login === '' ? '' : `${login}@`}${at}/${encodeURIComponent(database ?? '')}`;
}

/** Installations that share a broker. A shell has a variable of this name too: the path of a file. */
function topicPrefix({ ENV: name }: Environment): string | undefined {
  return isSet(name) && /^[\w-]{1,50}$/.test(name) ? `${name}.` : undefined;
}

function missing(env: Environment, name: string, value: string | undefined): Environment {
  const given = isSet(env[name]) || isSet(env[`${name}_FILE`]);
  return given || value === undefined ? {} : { [name]: value };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
