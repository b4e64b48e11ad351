import { createHash, type Hash } from 'node:crypto';
import type { ManifestSlice } from '@quire/contracts/export-reports';
import { CommandFailure, EXIT } from './exit-codes.js';

/**
 * Compares a file, while its bytes pass, with the slices that the export wrote: what arrives is what was made, or the
 * command says which bytes differ.
 */
export class SliceCheck {
  private index = 0;
  private missing: number;
  private offset = 0;
  private hash: Hash = createHash('sha256');

  constructor(private readonly slices: readonly ManifestSlice[]) {
    this.missing = slices[0]?.size ?? 0;
  }

  /** @throws CommandFailure */
  take(part: Buffer): void {
    let rest = part;
    while (rest.length > 0) {
      if (this.index >= this.slices.length) throw different('has more bytes', this.offset);
      const piece = rest.subarray(0, this.missing);
      this.hash.update(piece);
      this.missing -= piece.length;
      this.offset += piece.length;
      rest = rest.subarray(piece.length);
      if (this.missing === 0) this.close();
    }
  }

  /** @throws CommandFailure when the file ends too early */
  end(): void {
    while (this.index < this.slices.length && this.missing === 0) this.close();
    if (this.index < this.slices.length) throw different('ends too early', this.offset);
  }

  private close(): void {
    const slice = this.slices[this.index];
    if (slice && this.hash.digest('hex') !== slice.sha256)
      throw different('is another one', this.offset - slice.size);
    this.index += 1;
    this.missing = this.slices[this.index]?.size ?? 0;
    this.hash = createHash('sha256');
  }
}

const different = (how: string, offset: number): CommandFailure =>
  new CommandFailure(
    EXIT.unexpected,
    `The downloaded file ${how} than the export's manifest says, from byte ${offset}. Try again.`,
  );
