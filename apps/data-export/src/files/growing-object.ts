import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { StoredObject } from '@quire/object-store/object-store';

/**
 * An object that grows by pieces which come up while another one is written. It begins with its first piece; without one
 * there is no object. Memory holds what the store has not taken yet, a bounded number of pieces.
 */
export class GrowingObject {
  private readonly channel = new PassThrough();
  private putting: Promise<StoredObject> | undefined;

  /** @param put stores a stream; it rejects with the error of the stream and leaves nothing behind then */
  constructor(private readonly put: (bytes: AsyncIterable<Buffer>) => Promise<StoredObject>) {
    // Whoever writes or ends is told of an error; there may be nobody at the moment.
    this.channel.on('error', () => undefined);
  }

  /** Resolves when there is room for more. @throws when the store failed */
  async add(bytes: Buffer): Promise<void> {
    this.putting ??= this.begin();
    if (this.channel.errored) throw this.channel.errored;
    if (!this.channel.write(bytes)) await once(this.channel, 'drain');
  }

  /** @returns undefined when nothing was added */
  async end(): Promise<StoredObject | undefined> {
    this.channel.end();
    return this.putting;
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    this.channel.destroy(new Error('The object is not wanted any more.'));
    await this.putting?.catch(() => undefined);
  }

  private begin(): Promise<StoredObject> {
    const putting = this.put(this.channel);
    putting.catch((error: unknown) => this.channel.destroy(error as Error));
    return putting;
  }
}
