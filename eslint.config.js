import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What each room of a service may not import. Nx tags guard the border between projects; this guards the rooms inside one. */
const rooms = {
  http: {
    not: ['events', 'pipeline', 'files'],
    because: 'a controller maps HTTP onto a use case or a read',
  },
  events: {
    not: ['http', 'pipeline', 'db', 'files'],
    because: 'a handler maps an event onto a use case',
  },
  usecases: {
    not: ['http', 'events'],
    because: 'a use case must not know which door it was entered by',
  },
  pipeline: {
    not: ['http', 'events', 'usecases', 'db', 'files'],
    because: 'a pipeline is handed its source and its sink',
    plain: true,
  },
  domain: {
    not: ['http', 'events', 'usecases', 'pipeline', 'db', 'files'],
    because: 'domain/ decides; it calls nobody',
    plain: true,
  },
  db: {
    not: ['http', 'events', 'usecases', 'pipeline', 'files'],
    because: 'db/ is called, it does not call',
  },
  files: {
    not: ['http', 'events', 'usecases', 'pipeline', 'db'],
    because: 'files/ is called, it does not call',
  },
};
const io = [
  '@nestjs/*',
  'typeorm',
  'pg',
  'pg-*',
  'kafkajs',
  'minio',
  '@quire/postgres/*',
  '@quire/messaging/*',
  '@quire/object-store/*',
  '@quire/service/*',
];

const ban = (selector, message) => ({ selector, message });
const manyParameters = ban(
  ':matches(FunctionDeclaration, ArrowFunctionExpression, MethodDefinition[kind="method"] > FunctionExpression)[params.length>4]',
  'More than four parameters: pass one named object.',
);
const everywhere = [
  ban('ExportAllDeclaration', 'No barrels: import from the file that defines it.'),
  ban('ExportDefaultDeclaration', 'Named exports only.'),
  ban('TSEnumDeclaration', 'Use a const list and a union of literals.'),
  manyParameters,
  ban(
    'MethodDefinition[kind="constructor"] > FunctionExpression[params.length>7]',
    'More than seven dependencies: this class has two jobs.',
  ),
];
const topicLiteral = ban(
  'Literal[value=/^quire\\.[a-z-]+\\.[A-Za-z-]+\\.(v\\d+|dlq)/]',
  'Topics and event types are named once, in @quire/contracts.',
);
const ownTransaction = ban(
  "CallExpression[callee.name='withTenant'], CallExpression[callee.property.name='transaction']",
  'Only use cases open transactions.',
);
const rawQuery = ban(
  'CallExpression[callee.property.name=/^(getRepository|createQueryRunner)$/]',
  'Reach the database through a TenantTx.',
);
const ambient = [
  ban("NewExpression[callee.name='Date'][arguments.length=0]", 'Take the time as an argument.'),
  ban(
    "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    'Take the time as an argument.',
  ),
  ban(
    "CallExpression:matches([callee.name='randomUUID'], [callee.property.name='randomUUID'])",
    'Take the id as an argument.',
  ),
];

/** Only specs, and the worlds that they open, may use libs/testing. */
const layers = (...testing) => [
  'error',
  {
    allow: [],
    banTransitiveDependencies: true,
    depConstraints: [
      {
        sourceTag: 'layer:pure',
        onlyDependOnLibsWithTags: ['layer:pure', ...testing],
        bannedExternalImports: ['@nestjs/*', 'typeorm', 'pg', 'pg-*', 'kafkajs', 'minio'],
      },
      {
        sourceTag: 'layer:contracts',
        onlyDependOnLibsWithTags: ['layer:pure', ...testing],
        bannedExternalImports: [
          '@nestjs/common',
          '@nestjs/core',
          '@nestjs/microservices',
          'typeorm',
          'pg',
          'pg-*',
          'kafkajs',
          'minio',
        ],
      },
      { sourceTag: 'layer:embedded', onlyDependOnLibsWithTags: ['layer:pure'] },
      {
        sourceTag: 'layer:testing',
        onlyDependOnLibsWithTags: [
          'layer:embedded',
          'layer:contracts',
          'layer:pure',
          'layer:testing',
        ],
      },
      {
        sourceTag: 'layer:platform',
        onlyDependOnLibsWithTags: ['layer:platform', 'layer:contracts', 'layer:pure', ...testing],
      },
      {
        sourceTag: 'layer:app',
        onlyDependOnLibsWithTags: ['layer:platform', 'layer:contracts', 'layer:pure', ...testing],
      },
      {
        sourceTag: 'layer:launcher',
        onlyDependOnLibsWithTags: [
          'layer:app',
          'layer:embedded',
          'layer:platform',
          'layer:contracts',
          'layer:pure',
        ],
      },
      { sourceTag: 'layer:e2e', onlyDependOnLibsWithTags: ['*'] },
    ],
  },
];

export default defineConfig(
  globalIgnores(['**/dist', '**/coverage', '**/node_modules', '.nx']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': layers(),
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unnecessary-condition': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' },
        {
          object: 'process',
          property: 'exit',
          message: 'Let the event loop empty; set process.exitCode.',
        },
        {
          object: 'Buffer',
          property: 'concat',
          message: 'Bodies are streams; name the bound if you must join.',
        },
      ],
      'no-restricted-syntax': ['error', ...everywhere, topicLiteral, ownTransaction, rawQuery],
    },
  },
  ...Object.entries(rooms).map(([room, { not, because, plain }]) => ({
    files: [`apps/*/src/${room}/**/*.ts`],
    ignores: ['**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: `^\\.\\.?/(.*/)?(${not.join('|')})/`, message: `${because}.` },
            ...(plain ? [{ group: io, message: `${because}; it is plain TypeScript.` }] : []),
          ],
        },
      ],
    },
  })),
  {
    files: ['apps/*/src/usecases/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere, topicLiteral, rawQuery] },
  },
  {
    files: ['libs/{postgres,messaging,jobs}/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere, topicLiteral] },
  },
  {
    files: ['apps/*/src/domain/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...everywhere,
        topicLiteral,
        ownTransaction,
        rawQuery,
        ...ambient,
      ],
    },
  },
  {
    files: ['libs/contracts/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere] },
  },
  {
    files: ['libs/contracts/**/*.ts'],
    ignores: ['**/fields.ts', '**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: ['@nestjs/swagger', 'class-validator', 'class-transformer'].map((name) => ({
            name,
            message: 'Fields are declared with the decorators of fields.ts.',
            allowTypeImports: false,
          })),
        },
      ],
    },
  },
  // What reads the environment: the settings of a service, the tools, and what Jest's set-up hands to the specs.
  {
    files: ['**/config.ts', 'libs/service/src/boot.ts', 'libs/testing/src/database.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  // Generated tables, which say so in line 1.
  { files: ['libs/*/src/*-tables.ts'], rules: { 'max-lines': 'off' } },
  {
    files: ['tools/**/*.ts', '**/*.bench.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': ['error', ...everywhere] },
  },
  // What specs stand on: worlds of services, helpers of libraries.
  {
    files: ['apps/*/test/*-world.ts', 'libs/*/test/*.ts'],
    rules: { '@nx/enforce-module-boundaries': layers('layer:testing') },
  },
  {
    files: ['**/*.spec.ts'],
    rules: {
      '@nx/enforce-module-boundaries': layers('layer:testing'),
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'no-restricted-properties': 'off',
      // The columns of an it.each table are no interface.
      'no-restricted-syntax': ['error', ...everywhere.filter((rule) => rule !== manyParameters)],
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'performance',
          'fetch',
          'AbortController',
          'AbortSignal',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'TextDecoder',
          'TextEncoder',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: { 'no-restricted-syntax': 'off' },
  },
);
