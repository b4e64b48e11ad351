import { uuidText } from '@quire/contracts/ids';

export interface Frame {
  readonly kind: number;
  readonly index: number;
  readonly flags?: number;
  readonly duplicates?: number;
  readonly matchedId?: string;
  readonly externalId?: string;
  readonly content?: Buffer;
  readonly matchedIds?: readonly string[];
}

/** The byte form of the answer to a list of ids (source-record-storage, section 6). */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    const [kind, index] = [bytes.readUInt8(at + 4), bytes.readUInt32BE(at + 5)];
    frames.push(
      kind === 1
        ? {
            kind,
            index,
            flags: bytes.readUInt8(at + 9),
            duplicates: bytes.readUInt16BE(at + 10),
            matchedId: uuidText(bytes.subarray(at + 12, at + 28)),
            externalId: uuidText(bytes.subarray(at + 28, at + 44)),
            content: bytes.subarray(at + 44, end),
          }
        : kind === 5
          ? { kind, index, matchedIds: idsOf(bytes.subarray(at + 9, end)) }
          : { kind, index },
    );
    at = end;
  }
  return frames;
}

const idsOf = (bytes: Buffer): string[] =>
  Array.from({ length: bytes.length / 16 }, (_, at) =>
    uuidText(bytes.subarray(at * 16, at * 16 + 16)),
  );
