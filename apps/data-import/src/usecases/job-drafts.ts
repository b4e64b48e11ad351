import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '@quire/contracts/clock';
import type { ChunkOptions } from '@quire/contracts/data-import';
import type { InitJobExecutions } from '@quire/contracts/change-manager';
import type { Caller } from '@quire/contracts/scope';
import { withTenant, type TenantTx } from '@quire/postgres/tenant';
import { IDS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { JobExecutions, type JobView, type NewJob } from '../db/job-executions.js';
import { failures } from '../domain/failures.js';
import type { JobOptions } from '../domain/job-options.js';
import { profileOf, type ImportJobProfile } from '../domain/job-profiles.js';
import { lastSegment } from '../domain/upload-definition.js';
import { JobEvents } from './job-events.js';
import { JobUsers } from './job-users.js';

export interface MadeJobs {
  readonly parentId: string;
  /** In the order of their making. */
  readonly jobs: readonly JobView[];
}

type Draft = Omit<NewJob, 'user' | 'profile' | 'part'>;

/** What a job without a file is called, as in FOLIO. */
const NO_FILE = 'No file name';

/** Jobs that clients make without an upload definition (data-import, 4.1). */
@Injectable()
export class JobDrafts {
  constructor(
    private readonly source: DataSource,
    private readonly jobs: JobExecutions,
    private readonly events: JobEvents,
    private readonly users: JobUsers,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /** @throws Failure 400 without a file, for an unknown user or parent; 422 for an unknown profile */
  async create(
    caller: Caller,
    sent: InitJobExecutions,
    options: JobOptions = {},
  ): Promise<MadeJobs> {
    const { parentId, drafts } = this.drafted(sent);
    const profile = sent.jobProfileInfo && profileFor(sent.jobProfileInfo.id);
    const user = await this.users.of(caller, sent.userId);
    const part = { number: sent.jobPartNumber ?? 1, total: sent.totalJobParts ?? 1 };
    return withTenant(this.source, caller, async (tx) => {
      const isChild = drafts.some((draft) => draft.subordinationType === 'COMPOSITE_CHILD');
      if (isChild && !(await this.jobs.view(tx, parentId))) throw failures.parentNotFound(parentId);
      const asked = Object.keys(options).length > 0 ? settledBy(options) : undefined;
      const made = drafts.map((draft) => {
        const isParent = draft.subordinationType === 'PARENT_MULTIPLE';
        return { ...draft, user, part, ...(isParent ? {} : { profile, options: asked }) };
      });
      await this.events.created(tx, made, await this.jobs.addAll(tx, made));
      return { parentId, jobs: await this.views(tx, made) };
    });
  }

  private drafted(sent: InitJobExecutions): { parentId: string; drafts: Draft[] } {
    const { sourceType, parentJobId, files = [] } = sent;
    const id = this.ids.next();
    if (sourceType === 'ONLINE') return { parentId: id, drafts: [single(id, NO_FILE)] };
    const [first, second] = files.map((file) => file.name);
    if (first === undefined) throw failures.noFiles();
    if (sourceType === 'COMPOSITE') {
      if (second !== undefined) throw failures.tooManyCompositeFiles(files.length);
      if (parentJobId === undefined)
        return {
          parentId: id,
          drafts: [{ ...single(id, first), subordinationType: 'COMPOSITE_PARENT' }],
        };
      const child = { ...single(id, first), parentJobId, subordinationType: 'COMPOSITE_CHILD' };
      return { parentId: parentJobId, drafts: [child as Draft] };
    }
    if (second === undefined) return { parentId: id, drafts: [single(id, first)] };
    const children = files.map(({ name }): Draft => ({
      ...single(this.ids.next(), name),
      parentJobId: id,
      subordinationType: 'CHILD',
    }));
    const parent: Draft = {
      id,
      parentJobId: id,
      subordinationType: 'PARENT_MULTIPLE',
      status: 'PARENT',
    };
    return { parentId: id, drafts: [...children, parent] };
  }

  private async views(tx: TenantTx, made: readonly NewJob[]): Promise<JobView[]> {
    const ids = made.map(({ id }) => id);
    const views = new Map((await this.jobs.views(tx, ids)).map((view) => [view.id, view]));
    return ids.map((id) => {
      const view = views.get(id);
      if (!view) throw failures.jobNotFound(id);
      return view;
    });
  }
}

/** Only what was asked: the rest follows when the work begins. */
const settledBy = (options: JobOptions): Partial<ChunkOptions> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/** @throws Failure 422 */
export function profileFor(id: string): ImportJobProfile {
  const profile = profileOf(id);
  if (!profile) throw failures.profileNotFound(id);
  return profile;
}

function single(id: string, name: string): Draft {
  return {
    id,
    parentJobId: id,
    subordinationType: 'PARENT_SINGLE',
    status: 'NEW',
    fileName: lastSegment(name),
    sourcePath: name,
  };
}
