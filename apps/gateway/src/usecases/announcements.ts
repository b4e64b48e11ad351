import { Inject, Injectable } from '@nestjs/common';
import type { Scope, ServiceName } from '@quire/contracts/scope';
import { URLS } from '@quire/service/platform.module';
import { ServiceClient, type ServiceUrls } from '@quire/service/service-client';

/** Tells every service that runs of a tenant (conventions, section 18). Each answers when its rows are written. */
@Injectable()
export class Announcements {
  constructor(
    private readonly client: ServiceClient,
    @Inject(URLS) private readonly urls: ServiceUrls,
  ) {}

  /** @param services only these, running or not. @throws when one of them is away or refuses */
  async tell(
    scope: Scope,
    body: { readonly loadReference: boolean; readonly loadSample: boolean },
    services = Object.keys(this.urls) as readonly ServiceName[],
  ): Promise<void> {
    const others = services.filter((name) => name !== 'gateway');
    await Promise.all(
      others.map((to) =>
        this.client.json({ to, method: 'PUT', target: '/internal/tenant', scope, body }),
      ),
    );
  }
}
