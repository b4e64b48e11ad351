import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Ids } from '@quire/contracts/clock';
import type { Caller } from '@quire/contracts/scope';
import type { StoredObject } from '@quire/object-store/object-store';
import { BodyInterrupted } from '@quire/service/bodies';
import { CLOCK, IDS, SETTINGS } from '@quire/service/platform.module';
import { importSettings, type ImportSettings } from '../config.js';
import { failures } from '../domain/failures.js';
import type { UploadChunk } from '../domain/upload-chunk.js';
import { ImportFiles } from '../files/import-files.js';
import { UploadFraming } from '../pipeline/frame-upload.js';
import { Autostarts } from './autostarts.js';
import type { Definition } from './definition-states.js';
import { UploadSteps, type Upload } from './upload-steps.js';

/**
 * Takes the bytes of a file: one pass stores them, hashes them and finds the borders of their records (data-import, 7.2 and
 * 8.1). The upload is a row with a lease while it runs; it becomes the file's content in one transaction at its end. A broken
 * one changes nothing; of two at once the one that ends last wins.
 */
export interface Incoming {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** `Content-Length`, if it was sent. */
  readonly announced?: number | undefined;
}

/** Chunk rows are written so many at a time: a transaction for 32 MiB or more. */
const CHUNKS_A_WRITE = 32;
/** But on a slow line the lease of 60 s must be renewed while bytes arrive. */
const RENEW_MS = 10_000;

@Injectable()
export class FileUploads {
  private readonly settings: ImportSettings;
  private readonly running = new Map<string, number>();

  constructor(
    private readonly autostarts: Autostarts,
    private readonly steps: UploadSteps,
    private readonly files: ImportFiles,
    @Inject(IDS) private readonly ids: Ids,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) settings: object,
  ) {
    this.settings = importSettings(settings);
  }

  /** @throws Failure 400, 404, 413, 429 by the rows of S7 */
  async take(
    caller: Caller,
    place: Pick<Upload, 'definitionId' | 'fileId'>,
    incoming: Incoming,
  ): Promise<Definition> {
    await this.steps.check(caller, place);
    const { fileBytesMax } = this.settings;
    const { announced = 0 } = incoming;
    if (announced > fileBytesMax) throw failures.tooLarge(announced, fileBytesMax);
    this.enter(caller.tenantId);
    try {
      const definition = await this.run(caller, place, incoming.bytes);
      return await this.autostarts.started(caller, definition);
    } finally {
      this.leave(caller.tenantId);
    }
  }

  private async run(
    caller: Caller,
    place: Pick<Upload, 'definitionId' | 'fileId'>,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<Definition> {
    const id = this.ids.next();
    const upload = { ...place, id, key: this.files.keyOf(caller.tenantId, id) };
    await this.steps.begin(caller, upload);
    const framing = new UploadFraming();
    let stored: StoredObject;
    try {
      stored = await this.files.put(upload.key, this.passing(caller, upload, framing, bytes));
    } catch (error) {
      await this.steps.broken(caller, upload);
      throw error instanceof BodyInterrupted ? failures.interrupted(upload.fileId) : error;
    }
    return this.steps.whole(caller, upload, { stored, framing });
  }

  /** The bytes on their way to the store, while chunks found in them go to the table. */
  private async *passing(
    caller: Caller,
    upload: Upload,
    framing: UploadFraming,
    source: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    const { fileBytesMax } = this.settings;
    let bytes = 0;
    let waiting: UploadChunk[] = [];
    let writtenAt = this.nowMs();
    const write = async (): Promise<void> => {
      const chunks = waiting;
      waiting = [];
      await this.steps.keep(caller, upload, chunks);
      writtenAt = this.nowMs();
    };
    for await (const part of source) {
      bytes += part.length;
      if (bytes > fileBytesMax) throw failures.tooLarge(bytes, fileBytesMax);
      waiting.push(...framing.push(Buffer.from(part.buffer, part.byteOffset, part.length)));
      const due = waiting.length >= CHUNKS_A_WRITE || this.nowMs() - writtenAt >= RENEW_MS;
      if (due) await write();
      yield part;
    }
    waiting.push(...framing.end());
    await write();
  }

  private nowMs(): number {
    return this.clock.now().getTime();
  }

  private enter(tenantId: string): void {
    const { uploadsOfTenantMax, uploadsMax } = this.settings;
    const own = this.running.get(tenantId) ?? 0;
    const all = [...this.running.values()].reduce((sum, count) => sum + count, 0);
    if (own >= uploadsOfTenantMax || all >= uploadsMax) throw failures.tooManyUploads();
    this.running.set(tenantId, own + 1);
  }

  private leave(tenantId: string): void {
    const left = (this.running.get(tenantId) ?? 1) - 1;
    if (left > 0) this.running.set(tenantId, left);
    else this.running.delete(tenantId);
  }
}
