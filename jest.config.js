import { fileURLToPath } from 'node:url';

const fromHere = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Native ESM (node --experimental-vm-modules); decorators and their metadata through SWC. */
export default {
  // One real PostgreSQL per run. By absolute path: a run of one project has that project as its rootDir.
  globalSetup: fromHere('libs/testing/global-setup.mjs'),
  globalTeardown: fromHere('libs/testing/global-teardown.mjs'),
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@quire/source', 'node', 'node-addons'] },
  testMatch: ['**/src/**/*.spec.ts', '**/test/**/*.spec.ts', '**/apps/e2e/**/*.e2e.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 60_000,
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          keepClassNames: true,
        },
      },
    ],
  },
};
