import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PASSWORD } from './world.js';

const QUIRE = fileURLToPath(new URL('../../quire/dist/src/main.js', import.meta.url));

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `quire …`, as a person types it, against the server at this address. */
export function quire(words: readonly string[], url: string): Promise<Ended> {
  return quireWith(words, {
    QUIRE_URL: url,
    QUIRE_TENANT: 'library',
    QUIRE_USERNAME: 'admin',
    QUIRE_PASSWORD: PASSWORD,
  });
}

/** `quire …` with this environment and no other. */
export function quireWith(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [QUIRE, ...words], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
