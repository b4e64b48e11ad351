import { protect } from '@quire/postgres/house-tables';

/**
 * State machines of jobs (reliability, section 9): which status may follow which is a table in TypeScript, the same rows in
 * `job_rule`, and a trigger that refuses the rest, counts `version` up by one and keeps the history.
 */
export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

/** SQLSTATE of an illegal transition. */
export const ILLEGAL_TRANSITION = '23J01';

/** Statements for the migration that makes `job_execution` (columns tenant_id, id, status, version). */
export function transitionTables<S extends string>(
  schema: string,
  transitions: Transitions<S>,
): string[] {
  const rules = (Object.entries(transitions) as [S, readonly S[]][]).flatMap(([from, to]) =>
    to.map((one) => `('${from}', '${one}')`),
  );
  return [
    `create table job_rule (from_status text not null, to_status text not null, primary key (from_status, to_status))`,
    `grant select on job_rule to ${schema}_app`,
    `insert into job_rule (from_status, to_status) values ${rules.join(', ')}`,
    `create table job_transition (tenant_id text not null, job_id uuid not null, version bigint not null,
       from_status text not null, to_status text not null, at timestamptz not null default clock_timestamp(),
       actor text default current_setting('app.actor', true), primary key (tenant_id, job_id, version))`,
    ...protect(schema, 'job_transition', { grants: 'select, insert' }),
    `create function job_guard() returns trigger language plpgsql set search_path = ${schema}, pg_temp as $$
     begin
       if new.status is distinct from old.status then
         if not exists (select from job_rule r where r.from_status = old.status and r.to_status = new.status) then
           raise exception 'illegal transition % -> %', old.status, new.status using errcode = '${ILLEGAL_TRANSITION}';
         end if;
         new.version := old.version + 1;
         insert into job_transition (tenant_id, job_id, version, from_status, to_status)
           values (new.tenant_id, new.id, new.version, old.status, new.status);
       end if;
       return new;
     end $$`,
    `create trigger job_guard before update on job_execution for each row execute function job_guard()`,
  ];
}
