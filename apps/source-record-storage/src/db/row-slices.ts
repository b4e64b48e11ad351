import type { TenantRead } from '@quire/postgres/tenant';

/** Rows and bytes of records that are in memory at a time. A record has up to 1 MiB, but 2 kB as a rule. */
const SLICE_ROWS = 200;
const SLICE_BYTES = 8_388_608;

/**
 * The rows of a list, cut so that what hangs on them can be looked up: content and raw part. Their lengths are known without
 * reading them. One record always goes, however long.
 */
export async function* slicesOf<R extends { readonly id: string }>(
  tx: TenantRead,
  batches: AsyncIterable<readonly R[]> | Iterable<readonly R[]>,
): AsyncGenerator<readonly R[]> {
  for await (const rows of batches) {
    const lengths = await tx.query<{ bytes: number }>(LENGTHS, [
      tx.tenantId,
      rows.map(({ id }) => id),
    ]);
    let [from, bytes] = [0, 0];
    for (const [at, { bytes: length }] of lengths.entries()) {
      const full = at - from === SLICE_ROWS || bytes + length > SLICE_BYTES;
      if (full && at > from) {
        yield rows.slice(from, at);
        [from, bytes] = [at, 0];
      }
      bytes += length;
    }
    yield rows.slice(from);
  }
}

const LENGTHS = `
  select (coalesce(c.bytes, 0) + coalesce(w.length, 0))::float8 as bytes from unnest($2::uuid[]) with ordinality as r (id, place)
  left join lateral (
    select octet_length(content) as bytes from record_content where tenant_id = $1 and record_id = r.id limit 1) as c on true
  left join lateral (
    select length from record_raw where tenant_id = $1 and record_id = r.id limit 1) as w on true
  order by r.place`;
