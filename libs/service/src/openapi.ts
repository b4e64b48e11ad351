import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Route } from '@quire/contracts/route';
import type { ServiceName } from '@quire/contracts/scope';

/**
 * The OpenAPI 3.1 description of one service, from its controllers and contract classes. Who may call is said once, in the
 * routes; it is added here.
 */
export function describeApi(
  app: INestApplication,
  service: ServiceName,
  routes: readonly Route[],
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(`Quire ${service}`)
    .setVersion('0.1.0')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Okapi-Token' }, 'token');
  const document = SwaggerModule.createDocument(app, builder.build(), {
    // The gateway puts the descriptions together, and two services may have a controller of one name.
    operationIdFactory: (controller, method) =>
      [service.replaceAll('-', '_'), controller.replace('Controller', ''), method].join('_'),
  });
  for (const path of Object.keys(document.paths)) {
    if (path.startsWith('/internal/')) delete document.paths[path];
  }
  for (const route of routes) {
    const item = document.paths[route.path.replace(/:(\w+)/g, '{$1}')];
    const operation = item?.[route.method.toLowerCase() as 'get'];
    if (!operation) continue;
    addPathParameters(operation, route.path);
    if (route.upload) operation.requestBody = BYTES;
    if (route.access === 'public') continue;
    operation.security = [{ token: [] }];
    if (route.permission !== undefined) {
      operation.description = `Requires permission: ${route.permission}`;
    }
  }
  return document;
}

const BYTES = {
  required: true,
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
};

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Nest learns of path parameters from its own decorators only; ours check more than it knows. */
function addPathParameters(operation: OperationObject, path: string): void {
  const parameters = (operation.parameters ??= []);
  const described = new Set(parameters.map((one) => ('name' in one ? one.name : '')));
  for (const [, name = ''] of path.matchAll(/:(\w+)/g)) {
    if (described.has(name)) continue;
    parameters.push({ name, in: 'path', required: true, schema: { type: 'string' } });
  }
}
