import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';

/**
 * Imports a TypeScript file of this library where nothing has been built and no test runner transforms: in Jest's global
 * set-up, and in the processes that the specs start in order to kill them.
 */
export async function fromSource(name) {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const isOurs = context.parentURL?.endsWith('.ts') && specifier.startsWith('.');
      return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
    },
    load(url, context, next) {
      if (!url.endsWith('.ts')) return next(url, context);
      const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: { target: 'esnext', parser: { syntax: 'typescript' } },
      });
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
  try {
    return await import(pathToFileURL(`${import.meta.dirname}/src/${name}.ts`).href);
  } finally {
    hooks.deregister();
  }
}
