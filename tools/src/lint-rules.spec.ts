import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const node = (...args: string[]) =>
  run(process.execPath, args, { cwd: root, env: { ...process.env, NX_DAEMON: 'false' } });

const BORDER = '@nx/enforce-module-boundaries';
const ROOM = '@typescript-eslint/no-restricted-imports';

/*
 * The rule of the borders between projects skips itself, with a warning and exit code 0, when Nx has no project graph at
 * hand, and a typo in a glob switches off a rule just as quietly. So here is code that must not pass.
 * None of the imports is a circle: Nx would report that instead.
 */
const REFUSED: readonly {
  readonly what: string;
  readonly filePath: string;
  readonly code: string;
  readonly because: string;
}[] = [
  {
    what: 'an app that imports another app',
    filePath: 'apps/finance-storage/src/wrong.ts',
    code: `import { AppModule } from '@quire/data-export/app.module';\nexport const wrong = AppModule;\n`,
    because: BORDER,
  },
  {
    what: 'test equipment outside a spec',
    filePath: 'apps/finance-storage/src/wrong.ts',
    code: `import { testDatabase } from '@quire/testing/database';\nexport const wrong = testDatabase;\n`,
    because: BORDER,
  },
  {
    what: 'a database driver in a pure library',
    filePath: 'libs/cql/src/wrong.ts',
    code: `import { Client } from 'pg';\nexport const wrong = Client;\n`,
    because: BORDER,
  },
  {
    what: 'a use case that knows a door',
    filePath: 'apps/data-export/src/usecases/wrong.ts',
    code: `import { Door } from '../http/door.controller.js';\nexport const wrong = Door;\n`,
    because: ROOM,
  },
  {
    what: 'a framework in the domain',
    filePath: 'apps/data-export/src/domain/wrong.ts',
    code: `import { Injectable } from '@nestjs/common';\nexport const wrong = Injectable;\n`,
    because: ROOM,
  },
  {
    what: 'a clock in the domain',
    filePath: 'apps/data-export/src/domain/wrong.ts',
    code: 'export const wrong = () => Date.now();\n',
    because: 'no-restricted-syntax',
  },
  {
    what: 'a transaction opened outside a use case',
    filePath: 'apps/data-export/src/http/wrong.ts',
    code: `export const wrong = (withTenant: () => void) => withTenant();\n`,
    because: 'no-restricted-syntax',
  },
  {
    what: 'the environment read outside the settings',
    filePath: 'apps/data-export/src/usecases/wrong.ts',
    code: 'export const wrong = process.env.HOME;\n',
    because: 'no-restricted-properties',
  },
];

describe('the lint rules', () => {
  const messages = new Map<string, string[]>();

  beforeAll(async () => {
    await node('node_modules/nx/dist/bin/nx.js', 'show', 'projects'); // makes the project graph
    const { stdout } = await node('tools/fixtures/lint-as.mjs', JSON.stringify(REFUSED));
    const results = JSON.parse(stdout) as string[][];
    REFUSED.forEach(({ what }, index) => messages.set(what, results[index] ?? []));
  });

  it.each(REFUSED)('refuse $what', ({ what, because }) => {
    expect(messages.get(what)).toEqual([expect.stringContaining(`${because}: `)]);
  });
});
