/**
 * The allow-list of an entity: which names a CQL query may use, of what type each is, and which SQL stands for it.
 * Nothing outside of it can be reached by a query, and all SQL text of a compiled query comes from here.
 *
 * `sql` is an expression over fixed table aliases, e.g. `fund.name`. An undefined property must be SQL null; JSON
 * null is to be mapped (`nullif(…, 'null')`). One field may be listed under several names: those are its aliases.
 */
import type { CqlRelation } from '@quire/cql/ast';

interface CqlFieldBase {
  readonly sql: string;
  /** False: as sort key the name is unknown, which means skipped. Default true. */
  readonly sortable?: boolean;
  /** Order by this expression instead of the one that follows from type and `sql`. */
  readonly sort?: string;
  /**
   * Items to which `sql` refers, when the name is a path through a list of objects or through a child table: a
   * clause matches when it matches some item. `from` is a FROM item, `where` ties it to the row.
   */
  readonly within?: { readonly from: string; readonly where?: string };
}

/**
 * A function of the service that finds rows where an index cannot: below row-level security PostgreSQL keeps every
 * operator that is not leakproof, `@@`, `@>` and LIKE among them, away from the indexes (seen in plans of 18.4). It is
 * `security definer`, owned by a role whose policy is `using (true)`, and names the tenant itself:
 *
 *   create function title_ids(wanted tsquery) returns setof uuid language sql stable security definer
 *   begin atomic
 *     select id from instance where tenant_id = current_tenant() and words @@ wanted;
 *   end
 */
export interface CqlLookup {
  /** What the function returns, of the row of the query: `instance.id`. */
  readonly key: string;
  /** Name of the function, with its schema if `search_path` does not find it. */
  readonly call: string;
}

/** A tsvector column that finds candidates for word searches before the exact rule is applied to the value. */
export interface CqlWordIndex {
  readonly vector: string;
  /** Finds the keys by a tsquery, instead of `vector @@ …` on the row. */
  readonly lookup?: CqlLookup;
  /** Only words behind one of these prefixes belong to the field, see `cql_prefixed`. Default: all, as they are. */
  readonly prefixes?: readonly string[];
  /** The vector decides alone and the value is not looked at, but for doubtful rows. */
  readonly exact?: boolean;
  /** Condition, in parentheses if need be, of rows whose vector lacks words: they are always candidates. */
  readonly doubtful?: string;
}

/**
 * A tsvector column, indexed by GIN, whose lexemes are `cql_head(prefix || value)` of the values of several fields: finds a
 * whole value and one by its beginning.
 */
export interface CqlKeys {
  readonly vector: string;
  readonly prefix: string;
  /**
   * Present: every value is a run of letters and digits, which is to say one word, so that words are found too; but for rows
   * that fulfil the condition, if it is one. Absent: values of several words.
   */
  readonly words?: true | { readonly except: string };
}

export interface CqlTextField extends CqlFieldBase {
  readonly type: 'text';
  /** Stored column that holds `fold(sql)`: indexed, it serves `==` and order also below row-level security. */
  readonly folded?: string;
  /**
   * Stored column that holds `cql_head(sql)`, the first 400 characters of the folded value, when that is indexed
   * because values may be long: `==`, order and truncation look there first and at the whole value of what they find.
   */
  readonly head?: string;
  readonly words?: CqlWordIndex;
  /** The exact rule of word relations, when the words are not simply those of `sql`: a condition, given the tsquery. */
  readonly rule?: (query: string, relation: CqlRelation) => string;
  /** Only `=`, `adj`, `all` and `any`; other relations are refused. */
  readonly wordsOnly?: boolean;
  /** No text but a number or code: word relations compare the whole value. */
  readonly whole?: boolean;
}

export interface CqlEnumField extends CqlFieldBase {
  readonly type: 'enum';
  /** All values that `sql` (text) can have; terms are matched against this list, so ASCII is assumed. */
  readonly values: readonly string[];
  /** Further terms, each standing for several values, e.g. `SUCCESS`. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
}

export interface CqlNumberField extends CqlFieldBase {
  readonly type: 'number';
  /** `sql` is int2, int4 or int8: integers in terms are then compared as such, which lets an index serve. */
  readonly integer?: boolean;
}

/** `sql` is of type uuid, boolean or timestamptz. */
export interface CqlPlainField extends CqlFieldBase {
  readonly type: 'uuid' | 'boolean' | 'date';
}

/** List of scalars; `sql` is a text[] expression, e.g. a column or `array(select …)`. */
export interface CqlListField extends CqlFieldBase {
  readonly type: 'list';
  /** Several forms of one text: order compares with each of them. */
  readonly ordered?: boolean;
  /** How a word of a term is written as the values are. */
  readonly spelling?: (word: string) => string;
  readonly keys?: CqlKeys;
  /** Over all elements, which are kept apart by a gap in the positions. */
  readonly words?: CqlWordIndex;
  /** text[] with every element folded, for a GIN index: serves `==` without masks. */
  readonly folded?: string;
  /** Finds the keys of rows with an element by its folded text, instead of `folded @> …` on the row. */
  readonly lookup?: CqlLookup;
  /** The index knows no more of an element than its `cql_head`. */
  readonly heads?: boolean;
}

/** Indexes of those elements only that have this word, and no other one, in a subfield. */
export interface CqlPartIndex {
  readonly subfield: string;
  readonly value: string;
  readonly keys?: CqlKeys;
  readonly words?: CqlWordIndex;
}

/** List of objects; `sql` is a jsonb array expression. */
export interface CqlObjectsField extends CqlFieldBase {
  readonly type: 'objects';
  /** Property names that may be searched: the defaults and those of `/@name`. */
  readonly subfields: readonly string[];
  /** Searched when no `/@name` chooses another. At least one. */
  readonly defaults: readonly string[];
  /** text[] with the folded values of the default subfields, for a GIN index: serves `==` without masks. */
  readonly folded?: string;
  /** Finds the keys of rows with an element by its folded text, instead of `folded @> …` on the row. */
  readonly lookup?: CqlLookup;
  /** Of the default subfields. */
  readonly keys?: CqlKeys;
  /** Over the default subfields, the elements kept apart by a gap in the positions. */
  readonly words?: CqlWordIndex;
  /** Indexes of a part of the elements, as a condition on one other subfield chooses it. */
  readonly where?: readonly CqlPartIndex[];
  /** The exact rule of word relations without conditions on other subfields: some element matches the tsquery. */
  readonly rule?: (query: string) => string;
}

export type CqlField =
  CqlTextField | CqlEnumField | CqlNumberField | CqlPlainField | CqlListField | CqlObjectsField;

/** A related entity behind a prefix: `fund.name` on a budget. Any number of hops, in either direction. */
export interface CqlJoin {
  /** FROM item, joins between several hops included; its aliases are those in the fields of `entity`. */
  readonly from: string;
  /** Ties the related rows to the row of the query, tenant included. */
  readonly on: string;
  /** A function, because entities point at each other. Its own joins cannot be reached through the prefix. */
  readonly entity: () => CqlEntity;
  /** At most one related row: its fields can be sort keys. */
  readonly toOne?: boolean;
  /** Every row has one. */
  readonly always?: boolean;
  /** The relation to the row in between, which `on` ties the related rows to. */
  readonly over?: CqlJoin;
  /** Of a relation to one row: how to tell it by its id. */
  readonly key?: CqlKey;
}

/** A column with the id of a row of another table, which has the columns `tenant_id` and `id`. */
export interface CqlKey {
  readonly column: string;
  /** The table, or its alias in `from`. */
  readonly table: string;
}

export interface CqlEntity {
  /** By the name in the query. `id` must be there: it is the last sort key of every query. */
  readonly fields: Readonly<Record<string, CqlField>>;
  readonly joins?: Readonly<Record<string, CqlJoin>>;
  /** Names of the fields that a bare term is searched in, joined by OR. */
  readonly defaultIndexes?: readonly string[];
}
