import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';

/** Where the API is described for people. Everything below comes from this machine: nothing is loaded from elsewhere. */
export const DOCS_PATH = '/docs';

const SWAGGER_FOLDER = dirname(
  createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'),
);

/** Relative addresses, so that the page works below any path prefix. */
const START = `window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: '../openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: 'BaseLayout',
  });
};
`;

export function serveDocs(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const page = readFileSync(join(SWAGGER_FOLDER, 'index.html'), 'utf8');
  const title = page.replace('<title>Swagger UI</title>', '<title>Quire API</title>');
  server.get(`${DOCS_PATH}/index.html`, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(title),
  );
  server.get(`${DOCS_PATH}/swagger-initializer.js`, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(START),
  );
  void server.register(fastifyStatic, {
    root: SWAGGER_FOLDER,
    prefix: `${DOCS_PATH}/`,
    index: false,
    wildcard: false,
    globIgnore: [
      '**/*.map',
      '**/swagger-initializer.js',
      '**/index.html',
      '**/package.json',
      '**/*.cjs',
      '**/absolute-path.js',
    ],
  });
}
