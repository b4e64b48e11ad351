/**
 * How far a group has come in one partition. Several messages are in hand at a time and end in any order; what may be
 * committed is the lowest that has not ended.
 */
export class Progress {
  /** Offsets in hand, rising: a set keeps the order of its entries. */
  private readonly inHand = new Set<bigint>();
  private next: bigint | undefined;
  /** As far as the broker knows. */
  committed: bigint | undefined;

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  get size(): number {
    return this.inHand.size;
  }

  take(offset: bigint): void {
    this.inHand.add(offset);
    this.next = offset + 1n;
  }

  finish(offset: bigint): void {
    this.inHand.delete(offset);
  }

  /** Everything below has ended. Undefined: nothing was taken yet. */
  get position(): bigint | undefined {
    const [lowest] = this.inHand;
    return lowest ?? this.next;
  }

  get isDue(): boolean {
    return this.position !== undefined && this.position !== this.committed;
  }
}
