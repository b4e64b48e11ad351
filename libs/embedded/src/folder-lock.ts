import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * One process at a time for a folder.
 *
 * The lock is the exclusive lock of an empty SQLite file, because the kernel takes that one back when its owner dies,
 * SIGKILL included. A file with a process id in it cannot do that: ids are used again (in a container nearly always the
 * same ones), and two starts that both find the file stale both take it.
 */
export class FolderLock implements Disposable {
  private constructor(private readonly file: DatabaseSync) {}

  /** Null when another process, or another lock of this one, holds `path`. Makes the folder of `path` when it is missing. */
  static async take(path: string): Promise<FolderLock | null> {
    await mkdir(dirname(path), { recursive: true });
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      file.exec('begin exclusive');
      return new FolderLock(file);
    } catch (error) {
      file.close();
      if (isBusy(error)) return null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.file.isOpen) this.file.close();
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'errcode' in error &&
    error.errcode === SQLITE_BUSY
  );
}
