import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PasswordOf } from '@quire/postgres/migrate';
import type { QuireSettings } from './config.js';

/** File of a role's password in a keys folder. */
export const roleFile = (role: string): string => `role/${role}`;

/**
 * Passwords of the app roles outside the embedded mode: the one in the settings, or the file of the role in the keys folder.
 *
 * @throws Error with a sentence that names the missing file
 */
export function appPasswords({
  databaseUrl = '',
  databasePassword,
  keysDir,
}: QuireSettings): PasswordOf {
  const { username, password } = new URL(databaseUrl);
  return (role) => {
    if (role === username && password !== '') return decodeURIComponent(password);
    if (databasePassword !== undefined) return databasePassword;
    const file = join(keysDir, roleFile(role));
    try {
      return readFileSync(file, 'utf8').trim();
    } catch (cause) {
      throw new Error(
        `The password of ${role} cannot be read from ${file}. quire keys makes such files; or set QUIRE_DATABASE_PASSWORD.`,
        { cause },
      );
    }
  };
}

/** The owners log in only for a migration, so each run gives them passwords that nobody keeps. */
export function withFreshOwners(passwordOf: PasswordOf): PasswordOf {
  const fresh = new Map<string, string>();
  return (role) => {
    if (!role.endsWith('_owner')) return passwordOf(role);
    const password = fresh.get(role) ?? randomBytes(32).toString('base64url');
    fresh.set(role, password);
    return password;
  };
}
