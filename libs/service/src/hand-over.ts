/**
 * What a service does first when it stops, while its bus and its door are still open: it gives the work that it leases to the
 * other replicas, and tells them. They have it within 5 s (reliability, section 1); after the door and the bus were closed,
 * each in its own time, it would be too late.
 */
export class HandOver {
  private readonly works: (() => Promise<void>)[] = [];

  /** @param work may be asked for by its owner as well, who stops in any case */
  add(work: () => Promise<void>): void {
    this.works.push(work);
  }

  async run(): Promise<void> {
    await Promise.all(this.works.map((work) => work()));
  }
}
