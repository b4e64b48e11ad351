import type { CqlEntity, CqlField } from '../src/cql-entity.js';

/** The sample entities of the CQL test vectors: branches in regions in countries, with visits. */

const regionFields: Record<string, CqlField> = {
  id: { type: 'uuid', sql: 'region.id' },
  name: { type: 'text', sql: 'region.name' },
  code: { type: 'text', sql: 'region.code' },
  countryId: { type: 'uuid', sql: 'region.country_id' },
};

const country: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'country.id' },
    name: { type: 'text', sql: 'country.name' },
  },
};

const visit: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'visit.id' },
    reason: { type: 'text', sql: 'visit.reason' },
  },
};

export const branch: CqlEntity = {
  fields: {
    id: { type: 'uuid', sql: 'branch.id' },
    regionId: { type: 'uuid', sql: 'branch.region_id' },
    name: { type: 'text', sql: 'branch.name' },
    note: { type: 'text', sql: 'branch.note' },
    status: { type: 'text', sql: 'branch.status' },
    'contact.email': { type: 'text', sql: 'branch.email' },
    'address.city': { type: 'text', sql: 'branch.city' },
    shelfmark: {
      type: 'text',
      sql: 'branch.shelfmark',
      head: 'cql_head(branch.shelfmark)',
    },
    stage: {
      type: 'enum',
      sql: 'branch.stage',
      values: ['OPEN', 'CLOSED', 'OPEN_LATE'],
      aliases: { AJAR: ['OPEN', 'OPEN_LATE'] },
    },
    'address.zip': { type: 'number', sql: 'branch.zip' },
    floors: { type: 'number', sql: 'branch.floors', integer: true },
    active: { type: 'boolean', sql: 'branch.active' },
    opened: { type: 'date', sql: 'branch.opened' },
    tags: { type: 'list', sql: 'branch.tags', folded: 'branch.tags_folded' },
    people: {
      type: 'objects',
      sql: 'branch.people',
      subfields: ['name', 'roleId', 'lang'],
      defaults: ['name'],
    },
    'people.name': {
      type: 'text',
      sql: `(person.item ->> 'name')`,
      within: { from: 'jsonb_array_elements(branch.people) as person(item)' },
    },
    'contact.phones': {
      type: 'objects',
      sql: 'branch.phones',
      subfields: ['type', 'number'],
      defaults: ['number'],
    },
    keyword: {
      type: 'text',
      sql: `concat_ws(' ', branch.name, branch.note)`,
      wordsOnly: true,
      words: { vector: 'branch.keywords', prefixes: ['n:', 'x:'] },
    },
  },
  joins: {
    region: {
      from: 'region',
      on: 'region.id = branch.region_id',
      entity: () => region,
      toOne: true,
    },
    country: {
      from: 'region join country on country.id = region.country_id',
      on: 'region.id = branch.region_id',
      entity: () => country,
      toOne: true,
    },
    visit: { from: 'visit', on: 'visit.branch_id = branch.id', entity: () => visit },
  },
  defaultIndexes: ['name', 'contact.email'],
};

export const region: CqlEntity = {
  fields: regionFields,
  joins: {
    branch: {
      from: 'branch',
      on: 'branch.region_id = region.id',
      entity: () => branch,
    },
  },
};

export const BRANCH_TABLES = `
create table country (id uuid primary key, name text);
create table region (id uuid primary key, name text, code text, country_id uuid);
create table branch (
  id uuid primary key default gen_random_uuid(), sample text not null, label text not null,
  region_id uuid, name text, note text, status text, email text, city text, shelfmark text, stage text,
  zip numeric, floors int, active boolean, opened timestamptz, tags text[], people jsonb, phones jsonb,
  tags_folded text[] generated always as (fold_all(tags)) stored,
  keywords tsvector generated always as (
    cql_prefixed(cql_words(name), 'n:') || cql_prefixed(cql_words(coalesce(note, '')), 'o:')) stored);
create table visit (id uuid primary key default gen_random_uuid(), branch_id uuid, reason text);
`;
