import { Injectable } from '@nestjs/common';
import { JsonbWriter, TextWriter } from '@quire/postgres/array-writer';
import { boolArray, int4Array, textArray, uuidArray } from '@quire/postgres/bulk';
import { TextFolding } from '@quire/postgres/text-folding';
import type { TenantTx } from '@quire/postgres/tenant';
import type { InstanceFacts } from '../domain/instance-facts.js';
import { InstanceVectors, VectorMaker } from './instance-vectors.js';
import type { UntouchedRecord } from './pending-instances.js';

/**
 * Rows of the instance view for records that are new, with external ids nobody else has: nearly all that an import writes. In
 * one statement, without a look at any other record.
 */
@Injectable()
export class NewInstances {
  private maker: VectorMaker | undefined;

  /**
   * For records of one chunk, which one statement has inserted.
   *
   * @param factsOf what the record says; asked once for each, and nothing of it is kept
   * @returns false: some of the external ids have a row, which was left as it is
   */
  async insert<R extends NewRecord>(
    tx: TenantTx,
    records: readonly R[],
    factsOf: (record: R) => InstanceFacts,
  ): Promise<boolean> {
    const [first] = records;
    if (!first) return true;
    const columns = new Columns((this.maker ??= new VectorMaker(await TextFolding.load(tx))));
    for (const record of records) columns.add(factsOf(record));
    const inserted = await tx.execute(INSERT, [
      tx.tenantId,
      first.id,
      uuidArray(records.map(({ id }) => id)),
      uuidArray(records.map((record) => record.matched_id)),
      uuidArray(records.map((record) => record.external_id)),
      textArray(records.map((record) => record.external_hrid)),
      textArray(records.map((record) => record.leader_status)),
      ...columns.parameters(),
    ]);
    return inserted === records.length;
  }
}

type NewRecord = Omit<UntouchedRecord, 'content'>;

class Columns {
  private readonly titles = new TextWriter();
  private readonly indexTitles = new TextWriter();
  private readonly data = new JsonbWriter();
  private readonly vectors: InstanceVectors;

  constructor(maker: VectorMaker) {
    this.vectors = new InstanceVectors(maker);
  }

  add(facts: InstanceFacts): void {
    this.titles.add(facts.title);
    this.indexTitles.add(facts.indexTitle);
    this.data.add(facts.data);
    this.vectors.add(facts);
  }

  parameters(): Buffer[] {
    const { titles, indexTitles, data, vectors } = this;
    const written = [titles, indexTitles, data].map((column) => column.finish());
    const forms = [int4Array(vectors.forms), boolArray(vectors.long)];
    return [...written, ...forms, ...vectors.parameters()];
  }
}

/** Snapshot, times and user are those of the chunk's records, which one statement gave them all; see `INSERT_RECORDS`. */
const INSERT = `
  insert into instance (tenant_id, id, record_id, matched_id, snapshot_id, created_at, created_by, updated_at, updated_by,
    duplicates, word_form, discovery_suppress, staff_suppress, deleted, state, leader_status, hrid, title, index_title, keys,
    words, data)
  select $1, q.external_id, q.id, q.matched_id, saved.snapshot_id, saved.created_at, saved.created_by, saved.updated_at,
    saved.updated_by, 0,
    case when q.long and instance_clipped(w.words) then 2 else q.form end, false, q.status = 'd',
    q.status in ('d', 's', 'x'), case when q.status = 'd' then 'DELETED' else 'ACTUAL' end, q.status, q.hrid, q.title,
    q.index_title, coalesce(q.keys, instance_keys(string_to_array(nullif(q.key_text, ''), E'\\x1f')), ''), w.words, q.data
  from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::int4[],
    $12::bool[], $13::tsvector[], $14::tsvector[], $15::text[], $16::text[])
    as q (id, matched_id, external_id, hrid, status, title, index_title, data, form, long, words, keys, word_text, key_text)
  cross join lateral (select coalesce(q.words, instance_words(string_to_array(q.word_text, E'\\x1f'))) as words offset 0) as w
  cross join (
    select r.snapshot_id, r.created_at, r.created_by, r.updated_at, r.updated_by from record r
    where r.tenant_id = $1 and r.id = $2 limit 1) as saved
  on conflict (tenant_id, id) do nothing`;
