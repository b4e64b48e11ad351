import type { DataSource } from 'typeorm';
import { openBeside } from './lease-keeper.js';

/**
 * Scheduled work of which one replica at a time does a turn: a session advisory lock per name. Who does not get it skips the
 * turn; the other is at it. The locks are held by a connection of their own, opened by the first turn, so that long turns
 * take none from the pool. When it breaks the locks are gone and another replica may begin beside a turn that goes on: the
 * work must bear that, as it bears a replica that was frozen.
 */
export class Turns implements AsyncDisposable {
  private opening: Promise<DataSource> | undefined;

  constructor(private readonly pool: DataSource) {}

  /** @returns whether it was our turn @throws what the work throws, or the database */
  async take(name: string, work: () => Promise<void>): Promise<boolean> {
    if (!(await this.lock('pg_try_advisory_lock', name))) return false;
    try {
      await work();
    } finally {
      if (this.opening) await this.lock('pg_advisory_unlock', name);
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.opening?.catch(() => undefined);
    this.opening = undefined;
    await opened?.destroy();
  }

  private async lock(call: string, name: string): Promise<boolean> {
    this.opening ??= openBeside(this.pool, 'turns');
    const { opening } = this;
    try {
      const source = await opening;
      const [row] = await source.query<{ had: boolean }[]>(
        `select ${call}(hashtextextended($1, 0)) as had`,
        [name],
      );
      return row?.had ?? false;
    } catch (error) {
      // What could not be opened is opened again by the next turn; an open pool replaces a broken connection itself.
      opening.catch(() => {
        if (this.opening === opening) this.opening = undefined;
      });
      throw error;
    }
  }
}
