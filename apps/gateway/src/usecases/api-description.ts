import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@quire/contracts/clock';
import { SYSTEM_USER_ID, type ServiceName } from '@quire/contracts/scope';
import { CLOCK, LOG, URLS } from '@quire/service/platform.module';
import type { Log } from '@quire/service/log';
import { ServiceClient, type ServiceUrls } from '@quire/service/service-client';

interface OpenApi {
  readonly paths: Readonly<Record<string, object>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly [name: string]: unknown;
}

const FRESH_MS = 60_000;

/** The description of the whole API: that of the gateway and of every service that answers, merged. */
@Injectable()
export class WholeApi {
  private kept: { readonly document: OpenApi; readonly until: number } | undefined;

  constructor(
    private readonly client: ServiceClient,
    @Inject(URLS) private readonly urls: ServiceUrls,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async read(): Promise<object> {
    const now = this.clock.now().getTime();
    if (this.kept && this.kept.until > now) return this.kept.document;
    const names = Object.keys(this.urls) as ServiceName[];
    const found = await Promise.all(names.map((name) => this.ask(name)));
    const documents = found.filter((one) => one !== undefined);
    const document = merged(documents);
    // A service that is away must not be missing for a minute.
    if (documents.length === names.length) this.kept = { document, until: now + FRESH_MS };
    return document;
  }

  private async ask(to: ServiceName): Promise<OpenApi | undefined> {
    const scope = { tenantId: 'supertenant', actorId: SYSTEM_USER_ID };
    try {
      return await this.client.json<OpenApi>({
        to,
        method: 'GET',
        target: '/internal/openapi.json',
        scope,
      });
    } catch (err) {
      this.log.warn({ err, service: to }, 'the API of a service is missing in the description');
      return undefined;
    }
  }
}

function merged(documents: readonly OpenApi[]): OpenApi {
  const paths: Record<string, object> = {};
  const components: Record<string, Record<string, object>> = {};
  for (const document of documents) {
    Object.assign(paths, document.paths);
    for (const [kind, entries] of Object.entries(document.components ?? {})) {
      components[kind] = { ...components[kind], ...entries };
    }
  }
  const [first] = documents;
  return { ...first, info: { title: 'Quire', version: '0.1.0' }, paths, components };
}
