/**
 * Tables that every service schema has (reliability, section 3), as statements for a service's first migration, which runs
 * as `<schema>_owner`. Names inside are unqualified: the migration runs with the schema as its search path.
 *
 * Three roles: `_owner` owns the tables, `_app` (API and workers) may do what its grants say and is bound by row-level
 * security, `_sys` never logs in and owns the few functions that look across tenants.
 */
export function houseTables(schema: string): string[] {
  return [
    ...currentTenant(schema),
    `create table tenant (tenant_id text primary key check (tenant_id ~ '^[a-z][a-z0-9]{0,30}$'),
       enabled boolean not null default true, created_at timestamptz not null default now())`,
    `grant select, insert, update, delete on tenant to ${schema}_app`,
    `grant select on tenant to ${schema}_sys`,
    ...outbox(schema),
    ...inbox(schema),
    ...deadLetters(schema),
    ...ledgers(schema),
  ];
}

/** Row-level security of one table: enabled, forced, one policy for the tenant, and the grants of the app role. */
export function protect(
  schema: string,
  table: string,
  {
    sys = false,
    grants = 'select, insert, update, delete',
  }: { readonly sys?: boolean; readonly grants?: string } = {},
): string[] {
  return [
    `alter table ${table} enable row level security`,
    `alter table ${table} force row level security`,
    `create policy tenant on ${table} to ${schema}_app
       using (tenant_id = ${schema}.current_tenant()) with check (tenant_id = ${schema}.current_tenant())`,
    `grant ${grants} on ${table} to ${schema}_app`,
    // Forced row-level security binds the owner of a function too: without a policy of its own it would see no row.
    ...(sys
      ? [
          `create policy sys on ${table} to ${schema}_sys using (true) with check (true)`,
          `grant select, update, delete on ${table} to ${schema}_sys`,
        ]
      : []),
  ];
}

/** Makes a function belong to `_sys` and lets only `_app` call it. `signature`: `claim_slice(text, interval, int)`. */
export function systemFunction(schema: string, signature: string): string[] {
  return [
    `alter function ${signature} owner to ${schema}_sys`,
    `revoke all on function ${signature} from public`,
    `grant execute on function ${signature} to ${schema}_app`,
  ];
}

/** Asking without a tenant is an error, not an empty answer. */
function currentTenant(schema: string): string[] {
  return [
    `create function current_tenant() returns text language plpgsql stable as $$
     declare tenant text := current_setting('app.tenant', true);
     begin
       if tenant is null or tenant = '' then
         raise exception 'tenant not set' using errcode = 'insufficient_privilege';
       end if;
       return tenant;
     end $$`,
    `grant usage on schema ${schema} to ${schema}_app, ${schema}_sys`,
  ];
}

function outbox(schema: string): string[] {
  return [
    `create table outbox (seq bigint generated always as identity primary key,
       tenant_id text not null, event_id uuid not null unique, topic text not null, key text not null,
       headers jsonb not null, payload text not null check (octet_length(payload) <= 65536),
       created_at timestamptz not null default now())`,
    ...protect(schema, 'outbox', { sys: true, grants: 'insert' }),
    `create function relay_read(n int, skip_keys text[])
       returns table (seq bigint, tenant_id text, event_id uuid, topic text, key text, headers jsonb, payload text, created_at timestamptz)
       language sql security definer set search_path = ${schema}, pg_temp as $$
         select o.seq, o.tenant_id, o.event_id, o.topic, o.key, o.headers, o.payload, o.created_at
         from outbox o where not (o.key = any (skip_keys)) order by o.seq limit n $$`,
    `create function relay_done(seqs bigint[]) returns void
       language sql security definer set search_path = ${schema}, pg_temp as $$
         delete from outbox where seq = any (seqs) $$`,
    ...systemFunction(schema, 'relay_read(int, text[])'),
    ...systemFunction(schema, 'relay_done(bigint[])'),
  ];
}

function inbox(schema: string): string[] {
  return [
    `create table inbox (tenant_id text not null, consumer text not null, event_id text not null,
       outcome jsonb, at timestamptz not null default now(), primary key (tenant_id, consumer, event_id))`,
    ...protect(schema, 'inbox'),
  ];
}

/** Exempt from row-level security, because a dead letter may name a tenant that does not exist; reached by functions. */
function deadLetters(schema: string): string[] {
  return [
    `create table dead_letter (id bigint generated always as identity primary key, tenant_id text not null,
       event_id uuid not null, topic text not null, key text not null, headers jsonb not null, payload text not null,
       reason text not null, error text not null, attempts int not null, at timestamptz not null default now())`,
    `grant select, insert, delete on dead_letter to ${schema}_sys`,
    `create function dead_letter_add(tenant text, event uuid, topic text, key text, headers jsonb, payload text,
       reason text, error text, attempts int) returns void
       language sql security definer set search_path = ${schema}, pg_temp as $$
         insert into dead_letter (tenant_id, event_id, topic, key, headers, payload, reason, error, attempts)
         values (tenant, event, topic, key, headers, payload, reason, left(error, 1024), attempts) $$`,
    `create function dead_letter_list() returns setof dead_letter
       language sql security definer set search_path = ${schema}, pg_temp as $$
         select * from dead_letter order by id $$`,
    ...systemFunction(
      schema,
      'dead_letter_add(text, uuid, text, text, jsonb, text, text, text, int)',
    ),
    ...systemFunction(schema, 'dead_letter_list()'),
  ];
}

function ledgers(schema: string): string[] {
  return [
    `create table audit (tenant_id text not null, id uuid not null default gen_random_uuid(),
       at timestamptz not null default clock_timestamp(), actor text not null default current_setting('app.actor', true),
       action text not null, subject text not null, details jsonb, primary key (tenant_id, id))`,
    ...protect(schema, 'audit', { grants: 'select, insert' }),
    `create table idempotency (tenant_id text not null, user_id uuid not null, method text not null, path text not null,
       key text not null, body_sha256 bytea not null, status int, answer jsonb, at timestamptz not null default now(),
       primary key (tenant_id, user_id, method, path, key))`,
    ...protect(schema, 'idempotency'),
    `create table setting (tenant_id text not null, key text not null, value jsonb not null, primary key (tenant_id, key))`,
    ...protect(schema, 'setting'),
    `create table object_intent (tenant_id text not null, key text not null, at timestamptz not null default now(),
       primary key (tenant_id, key))`,
    ...protect(schema, 'object_intent'),
  ];
}
