import { SERVICES, type ServiceName } from '@quire/contracts/scope';

/** Of the product, and so of each of its services. */
export const PRODUCT_VERSION = '0.1.0';

/** What Okapi calls a module is a service here; every tenant has all of them. */
export const MODULES: readonly { readonly id: string }[] = SERVICES.map((service) => ({
  id: `${service}-${PRODUCT_VERSION}`,
}));

/** The service that a module id names, in whatever version: `finance-storage`, `finance-storage-0.1.0`. */
export function serviceOf(moduleId: string): ServiceName | undefined {
  return SERVICES.find(
    (service) =>
      moduleId === service ||
      (moduleId.startsWith(`${service}-`) && /^\d/.test(moduleId.slice(service.length + 1))),
  );
}
