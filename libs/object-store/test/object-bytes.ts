/** Sources, keys and measurements for the specs of the object store. */
import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { keptBytes } from '@quire/testing/memory';
import type { ListedObject, ObjectBytes } from '../src/object-store.js';
import { TenantKey } from '../src/tenant-key.js';

let tenants = 0;

/** A key nobody has, of a tenant nobody has, so that specs do not see each other's objects. */
export function newKey(): TenantKey {
  return TenantKey.of('export', `t${process.pid}x${++tenants}`, randomUUID());
}

export function sha256Of(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest();
}

/** The body cut into pieces of the given size. */
export async function* chunks(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < body.length; start += size) {
    yield await Promise.resolve(body.subarray(start, start + size));
  }
}

/** The parts one after the other, then the error if there is one. */
export async function* flowing(parts: readonly Buffer[], error?: Error): AsyncGenerator<Buffer> {
  for (const part of parts) yield await Promise.resolve(part);
  if (error) throw error;
}

/** So many bytes in fresh blocks of 64 KiB, as a socket delivers them. */
export async function* blocks(bytes: number): AsyncGenerator<Buffer> {
  const size = 64 * 1024;
  for (let sent = 0; sent < bytes; sent += size)
    yield await Promise.resolve(Buffer.alloc(size, sent / size));
}

/** What a source of a few MiB yields, in one piece. */
export async function joined(source: AsyncIterable<Buffer>): Promise<Buffer> {
  return buffer(source);
}

export async function bytesOf(object: Promise<ObjectBytes>): Promise<Buffer> {
  return buffer(await object);
}

export async function keysOf(listed: AsyncIterable<ListedObject>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of listed) keys.push(key.toString());
  return keys.sort();
}

/** By how much more was kept than at the beginning, at the highest of the looks that the work takes. */
export async function growthBytes(work: (look: () => void) => Promise<void>): Promise<number> {
  const before = keptBytes();
  let highest = before;
  await work(() => void (highest = Math.max(highest, keptBytes())));
  return highest - before;
}

/** The same bytes, with a look at the first, after every 16 MiB and at the end. */
export async function* looked(source: AsyncIterable<Buffer>, look: () => void) {
  let untilLook = 0;
  for await (const chunk of source) {
    untilLook -= chunk.length;
    if (untilLook < 0) {
      look();
      untilLook = 16 * 1024 * 1024;
    }
    yield chunk;
  }
  look();
}
