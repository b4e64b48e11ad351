import { MarcIndex } from '@quire/source-record-storage/db/marc-index';
import { PendingInstances } from '@quire/source-record-storage/db/pending-instances';
import { sourceRecordStorage } from '@quire/source-record-storage/service';
import { MAIN } from './quire-process.js';

/*
 * Quire without the instance view and the index of MARC fields, for the bench that measures what they cost an import. Nothing
 * that an operator could set: two providers are exchanged before the program starts.
 */
class NoIndex extends MarcIndex {
  override insert(): Promise<void> {
    return Promise.resolve();
  }
}

/** Notes no chunk, so that no row is made. */
class NoView extends PendingInstances {
  override add(): Promise<void> {
    return Promise.resolve();
  }
}

const providers = Reflect.getMetadata('providers', sourceRecordStorage.module) as object[];
providers.push(
  { provide: MarcIndex, useValue: new NoIndex() },
  { provide: PendingInstances, useValue: new NoView() },
);
await import(MAIN);
