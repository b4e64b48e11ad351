/** Two sorted sequences as one. What stands equal in both comes from the first. */
export async function* mergeSorted<T>(
  first: AsyncIterable<T>,
  second: AsyncIterable<T>,
  compare: (a: T, b: T) => number,
): AsyncGenerator<T> {
  const [a, b] = [new Ahead(first), new Ahead(second)];
  try {
    for (;;) {
      const [x, y] = [await a.peek(), await b.peek()];
      if (x === undefined && y === undefined) return;
      const isFirst = x !== undefined && (y === undefined || compare(x, y) <= 0);
      const next = isFirst ? await a.take() : await b.take();
      if (next !== undefined) yield next;
    }
  } finally {
    await a.end();
    await b.end();
  }
}

/** A sequence of which the next element can be looked at before it is taken. */
export class Ahead<T> {
  private readonly iterator: AsyncIterator<T>;
  private next: IteratorResult<T> | undefined;

  constructor(items: AsyncIterable<T>) {
    this.iterator = items[Symbol.asyncIterator]();
  }

  /** Undefined at the end. */
  async peek(): Promise<T | undefined> {
    this.next ??= await this.iterator.next();
    return this.next.done ? undefined : this.next.value;
  }

  async take(): Promise<T | undefined> {
    const item = await this.peek();
    if (!this.next?.done) this.next = undefined;
    return item;
  }

  /** Those at the front for which it holds. */
  async *takeWhile(holds: (item: T) => boolean): AsyncGenerator<T> {
    for (;;) {
      const item = await this.peek();
      if (item === undefined || !holds(item)) return;
      await this.take();
      yield item;
    }
  }

  async end(): Promise<void> {
    await this.iterator.return?.();
  }
}

/** `limit` elements behind the first `skip`. */
export async function* slice<T>(
  items: AsyncIterable<T>,
  { skip, limit }: { readonly skip: number; readonly limit: number },
): AsyncGenerator<T> {
  if (limit === 0) return;
  let at = 0;
  for await (const item of items) {
    at += 1;
    if (at > skip) yield item;
    if (at === skip + limit) return;
  }
}
