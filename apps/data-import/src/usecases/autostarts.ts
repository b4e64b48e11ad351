import { Inject, Injectable } from '@nestjs/common';
import { Failure } from '@quire/contracts/failure';
import type { Log } from '@quire/contracts/log';
import type { Caller, Scope } from '@quire/contracts/scope';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { UploadDefinitions } from '../db/upload-definitions.js';
import { DefinitionStates, type Definition } from './definition-states.js';
import { Imports } from './imports.js';

type Starter = Scope & { readonly username: string };

/**
 * Processing that starts by itself (data-import, section 14, 14). That it is due is written in the transaction in which the
 * definition becomes loaded; the start follows at once as `processFiles` would do it, or by the sweep when the process died or
 * the tenant had too many jobs.
 */
@Injectable()
export class Autostarts {
  constructor(
    private readonly source: DataSource,
    private readonly definitions: UploadDefinitions,
    private readonly states: DefinitionStates,
    private readonly imports: Imports,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** Starts what is due. The upload has succeeded, so a start that is refused is no failure of it. */
  async started(caller: Starter, definition: Definition): Promise<Definition> {
    const { id, start_due: profileId } = definition.row;
    if (profileId === null) return definition;
    await this.start(caller, id, profileId);
    return readTenant(this.source, caller, (tx) => this.states.read(tx, id));
  }

  /** What was left over. */
  async sweep(scope: Scope): Promise<void> {
    const due = await readTenant(this.source, scope, (tx) => this.definitions.due(tx));
    for (const { id, start_due: profileId, updated_by: by, updated_by_name: username } of due) {
      const starter = { ...scope, actorId: by ?? scope.actorId, username: username ?? '' };
      await this.start(starter, id, profileId);
    }
  }

  private async start(starter: Starter, id: string, profileId: string): Promise<void> {
    const caller: Caller = { ...NOBODY, ...starter };
    try {
      await this.imports.start(caller, id, {
        uploadDefinition: {},
        jobProfileInfo: { id: profileId },
      });
    } catch (error) {
      this.log.warn({ uploadDefinitionId: id, reason: (error as Error).message }, 'not started');
      // What is busy or broken now may work later; what is refused stays refused until the files change.
      const again = !(error instanceof Failure) || LATER.includes(error.kind);
      if (!again)
        await withTenant(this.source, starter, (tx) => this.definitions.setStartDue(tx, id));
    }
  }
}

const LATER: readonly string[] = ['too-many', 'unavailable'];

/** A start needs none of these. */
const NOBODY = { issuer: 'data-import', permissions: [], requestId: '', publicUrl: '' } as const;
