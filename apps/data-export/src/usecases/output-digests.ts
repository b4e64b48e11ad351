import { createHash } from 'node:crypto';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Log } from '@quire/contracts/log';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import { Background } from '@quire/jobs/background';
import { abortable } from '@quire/streams/abortable';
import { readTenant, withTenant } from '@quire/postgres/tenant';
import { LOG } from '@quire/service/platform.module';
import { Tenants } from '@quire/service/tenants';
import { DataSource } from 'typeorm';
import { JobReports } from '../db/job-reports.js';
import type { FileKind, SlicePart } from '../db/slices.js';
import { Stores } from '../db/stores.js';
import { ExportFiles } from '../files/export-files.js';

const EVERY_MS = 60_000;
/** Longer than a file takes to read; who dies over it leaves it to others after that. */
const LEASE_MS = 3_600_000;

/**
 * The pass after the end of a job (`data-export.md`, section 14, B12): each file is read once more, for its SHA-256. A file
 * of one slice needs no reading.
 */
@Injectable()
export class OutputDigests implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly background: Background;
  private readonly asked = new Set<string>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly reports: JobReports,
    private readonly files: ExportFiles,
    private readonly tenants: Tenants,
    @Inject(LOG) private readonly log: Log,
  ) {
    const work = (): Promise<void> => this.turn();
    this.background = new Background({ name: 'data-export.digests', everyMs: EVERY_MS, work, log });
  }

  onApplicationBootstrap(): void {
    this.background.start();
  }

  /** Somebody else reads on, from the first byte. */
  beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    return this.background.stop();
  }

  /** A job of this tenant has ended. */
  wake(tenantId: string): void {
    this.asked.add(tenantId);
    this.background.wake();
  }

  /** Tenants that asked, and all of them when nobody did: then it is the timer. */
  private async turn(): Promise<void> {
    const asked = [...this.asked];
    this.asked.clear();
    for (const tenantId of asked.length > 0 ? asked : await this.tenants.list())
      await this.digestAll({ tenantId, actorId: SYSTEM_USER_ID });
  }

  private async digestAll(scope: Scope): Promise<void> {
    while (!this.isStopping()) {
      const jobId = await withTenant(this.source, scope, (tx) =>
        this.reports.claimUndigested(tx, LEASE_MS),
      );
      if (jobId === undefined) return;
      try {
        await this.digest(scope, jobId);
      } catch (error) {
        if (this.isStopping())
          await withTenant(this.source, scope, (tx) => this.reports.giveBackUndigested(tx, jobId));
        else this.log.error({ err: error, jobId }, 'an output cannot be read for its digest');
      }
    }
  }

  /** A method, because the compiler believes that a field stays as it was across an await. */
  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private async digest(scope: Scope, jobId: string): Promise<void> {
    const parts = (kind: FileKind): Promise<SlicePart[]> =>
      readTenant(this.source, scope, (tx) => this.stores.slices.parts(tx, jobId, kind));
    const output = await this.digestOf(await parts('output'));
    const beside = await parts('oversize');
    const digests =
      beside.length > 0 ? { output, oversize: await this.digestOf(beside) } : { output };
    await withTenant(this.source, scope, (tx) => this.reports.keepDigests(tx, jobId, digests));
  }

  private async digestOf(parts: readonly SlicePart[]): Promise<Buffer> {
    const [first] = parts;
    if (first && parts.length === 1) return first.sha256;
    const hash = createHash('sha256');
    const size = parts.reduce((sum, part) => sum + part.bytes, 0);
    const bytes = abortable<Buffer>(await this.files.open(parts, 0, size), this.stopping.signal);
    for await (const chunk of bytes) hash.update(chunk);
    return hash.digest();
  }
}
