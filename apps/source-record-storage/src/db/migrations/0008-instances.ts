import { CQL_FUNCTIONS_SQL } from '@quire/postgres/cql-functions';
import { protect } from '@quire/postgres/house-tables';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isShown } from '../snapshot-removal-policy.js';

const SCHEMA = 'source_record_storage';

/**
 * The instance view (source-record-storage, section 8): what MARC_BIB records say, one row per external id.
 *
 * Two columns are searched through GIN indexes. `words` holds the words of all fields, their weights tell the fields apart
 * (A titles, B contributors, C numbers, D other titles and series). `keys` holds folded whole values behind the name of
 * their index (`isbn:…`); as lexemes of a tsvector they are found by their beginning too. Both indexes collect what is new
 * in a pending list of up to 1 GB, to be merged by whoever writes much: six times as fast as the default of 4 MB.
 *
 * `word_form` says how far `words` may be trusted, see `domain/instance-words.ts`.
 */
export class Instances1700000000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      CQL_FUNCTIONS_SQL,
      ...functions(),
      ...table(),
      ...indexes(),
      ...protect(SCHEMA, 'instance', { sys: true }),
      ...view(),
      ...statistics(),
      ...filling(),
      // 004 of holdings: the number of the bibliographic record that they belong to.
      'alter table record add parent_hrid text',
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only.'));
  }
}

/**
 * `instance_words`: four texts, the elements in each and their ends marked by the word `zzgapzz`, which is taken out again and
 * leaves a gap in the positions. `instance_clipped`: a tsvector keeps 256 positions of a word and none behind 16,383; what it
 * has lost no phrase finds. `instance_keys`: cut as `cql_head` cuts. `instance_matches`: the exact rule for words in several
 * texts, in one of them or, as `all` wants it, together.
 */
function functions(): string[] {
  return [
    `create function instance_words(a text, b text, c text, d text) returns tsvector
     language plpgsql immutable parallel safe as $$
     begin
       return ts_delete(
         setweight(${SCHEMA}.cql_words(a), 'A') || setweight(${SCHEMA}.cql_words(b), 'B') ||
         setweight(${SCHEMA}.cql_words(c), 'C') || setweight(${SCHEMA}.cql_words(d), 'D'), 'zzgapzz');
     end $$`,
    `create function instance_clipped(words tsvector) returns boolean
     language plpgsql immutable strict parallel safe as $$
     begin
       return exists (select from unnest(words) as word
         where cardinality(word.positions) >= 255 or word.positions[cardinality(word.positions)] >= 16383);
     end $$`,
    `create function instance_keys(keys text[]) returns tsvector
     language plpgsql immutable strict parallel safe as $$
     begin
       return array_to_tsvector(array(select ${SCHEMA}.cql_head(key) from unnest(keys) as key));
     end $$`,
    `create function instance_matches(texts text[], wanted tsquery, together boolean) returns boolean
     language plpgsql immutable parallel safe as $$
     declare
       found tsvector := '';
       element text;
       rest int := 100000;
     begin
       foreach element in array texts loop
         continue when element is null;
         if not together then
           if ${SCHEMA}.cql_words(element) @@ wanted then return true; end if;
         else
           found := found || strip(${SCHEMA}.cql_words(left(element, rest)));
           rest := rest - length(element);
           exit when rest <= 0;
         end if;
       end loop;
       return together and found @@ wanted;
     end $$`,
  ];
}

/** The heads are what b-trees order and compare, see `CqlTextField.head`. */
function table(): string[] {
  return [
    `create table instance (tenant_id text collate "C" not null, id uuid not null, record_id uuid not null,
       matched_id uuid not null, snapshot_id uuid not null, created_at timestamptz not null, updated_at timestamptz not null,
       created_by uuid, updated_by uuid, duplicates int not null, word_form smallint not null,
       discovery_suppress boolean not null, staff_suppress boolean not null, deleted boolean not null,
       state text collate "C" not null, leader_status text collate "C", hrid text, title text, index_title text,
       hrid_head text collate "C" generated always as (cql_head(hrid)) stored,
       title_head text collate "C" generated always as (cql_head(title)) stored,
       index_head text collate "C" generated always as (cql_head(index_title)) stored,
       keys tsvector not null, words tsvector not null, data jsonb not null)
       -- Most rows are a little above 2 kB: compressing them would be a fifth of what writing a row costs.
       with (toast_tuple_target = 8160)`,
  ];
}

/**
 * What is included lets a count be answered from the index alone. Rare values have partial indexes. Others are partial, and in
 * this order, so that a planner without statistics of a tenant does not take them for each other (see 0001); the two of
 * titles are not, because they give the order of all rows.
 */
function indexes(): string[] {
  const facts = 'include (id, state, snapshot_id)';
  const gin = 'with (fastupdate = on, gin_pending_list_limit = 1048576)';
  return [
    `create index instance_words on instance using gin (words) ${gin}`,
    `create index instance_keys on instance using gin (keys) ${gin}`,
    `create index instance_doubtful on instance (tenant_id, id) where word_form = 2`,
    `create index instance_title on instance (tenant_id, title_head collate "C")`,
    `create index instance_index_title on instance (tenant_id, index_head collate "C")`,
    `alter table instance add primary key (tenant_id, id)
       include (state, snapshot_id, discovery_suppress, staff_suppress, deleted)`,
    `create index instance_discovery_suppress on instance (tenant_id) ${facts} where discovery_suppress`,
    `create index instance_staff_suppress on instance (tenant_id) ${facts} where staff_suppress`,
    `create index instance_deleted on instance (tenant_id) ${facts} where deleted`,
    `create index instance_updated on instance (tenant_id, updated_at, id) include (state, snapshot_id)
       where updated_at is not null`,
    `create index instance_hrid on instance (tenant_id, hrid_head collate "C", id) where hrid_head is not null`,
  ];
}

/**
 * How queries read the rows: below row-level security PostgreSQL keeps `@@` and LIKE away from the indexes, and a function
 * that finds the keys hides from the planner how many there are (measured: seconds for a word that half of the rows have).
 * The view belongs to the role whose policy is `using (true)`, so that its indexes serve every operator; it names the tenant
 * itself, and what is being removed, as the functions of that role do; in a form that tempts the planner to no index of the
 * tenant, which it takes for the best one as long as it does not know how large the tenant is. Who wants such an index names
 * the tenant once more. Writers see every row: they keep the view right.
 */
function view(): string[] {
  return [
    `create view instance_row as select * from instance where (tenant_id = (select ${SCHEMA}.current_tenant())) is true
       and ${isShown()}`,
    // What every plan calls must not keep the planner from parallel ones.
    'alter function current_tenant() parallel safe',
    'alter function removing_snapshots() parallel safe',
    `alter view instance_row owner to ${SCHEMA}_sys`,
    `grant select on instance_row to ${SCHEMA}_app`,
  ];
}

/** Of the columns that queries choose indexes by. */
function statistics(): string[] {
  return [
    `create function analyze_instances() returns void
       language plpgsql security definer set search_path = ${SCHEMA}, pg_temp as $$
     begin
       if pg_try_advisory_xact_lock(hashtext('${SCHEMA}.analyze_instances')) then
         analyze instance (tenant_id, id, record_id, snapshot_id, updated_at, word_form, discovery_suppress, staff_suppress,
           deleted, state, hrid_head, title_head, index_head, keys, words);
       end if;
     exception when lock_not_available then null;
     end $$`,
    'revoke all on function analyze_instances() from public',
    `grant execute on function analyze_instances() to ${SCHEMA}_app`,
  ];
}

/** A row for each tenant whose view is to be made from its records, with the external ids up to which it is, and after them the
 * column `parent_hrid` of holdings (see 0007). */
function filling(): string[] {
  return [
    `create table instance_fill (tenant_id text collate "C" primary key, after uuid,
       holdings_after uuid)`,
    // Of all tenants: the owner is bound by row-level security and sees no record.
    'insert into instance_fill (tenant_id) select tenant_id from tenant',
    ...protect(SCHEMA, 'instance_fill'),
  ];
}
