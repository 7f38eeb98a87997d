import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { diffSchemas, writeMigration } from '../../src/infra/migrations/migration-diff.ts';
import { describeDatabase } from '../support/catalog.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/postgres.ts';

const prisma = fileURLToPath(new URL('../../prisma', import.meta.url));
const schema = readFileSync(join(prisma, 'schema.prisma'), 'utf8');

describe('the schema and the migrations', () => {
  /** Lists are NOT NULL in the tables, which Prisma's schema cannot say. */
  const lists = [
    ['carts.discount_codes', 'text'],
    ['orders.discount_codes', 'text'],
    ['promotions.category_ids', 'uuid'],
    ['promotions.customer_ids', 'uuid'],
    ['promotions.excluded_category_ids', 'uuid'],
    ['promotions.excluded_product_ids', 'uuid'],
    ['promotions.excluded_variant_ids', 'uuid'],
    ['promotions.get_category_ids', 'uuid'],
    ['promotions.get_product_ids', 'uuid'],
    ['promotions.get_variant_ids', 'uuid'],
    ['promotions.product_ids', 'uuid'],
    ['promotions.variant_ids', 'uuid'],
    ['promotions.countries', 'text'],
    ['promotions.excluded_tags', 'text'],
    ['promotions.get_tags', 'text'],
    ['promotions.tags', 'text'],
    ['promotions.combines_with', 'promotion_scope'],
    ['shipping_zones.countries', 'text'],
    ['shipping_zones.postal_prefixes', 'text'],
    ['shipping_zones.regions', 'text'],
  ] as const;
  // Beside CHECKs, triggers and functions, which are not compared. Add here what a migration does on purpose.
  const onlyInMigrations = [
    // Prisma's autoincrement() is a serial; nobody is to set these ids, nor forget their sequence.
    'column event_log.id bigint NOT NULL IDENTITY ALWAYS',
    'column money_entries.id bigint NOT NULL IDENTITY ALWAYS',
    'column promotion_uses.id bigint NOT NULL IDENTITY ALWAYS',
    'column order_status_changes.id bigint NOT NULL IDENTITY ALWAYS',
    'column staff_actions.id bigint NOT NULL IDENTITY ALWAYS',
    'column stock_alerts.number bigint NOT NULL IDENTITY ALWAYS',
    'column stock_movements.id bigint NOT NULL IDENTITY ALWAYS',
    // Prisma's lists may be null.
    ...lists.map(([column, type]) => `column ${column} ${type}[] NOT NULL DEFAULT ARRAY[]::${type}[]`),
    'column products.tags text[] NOT NULL DEFAULT ARRAY[]::text[]',
    'column users.mails_off text[] NOT NULL DEFAULT ARRAY[]::text[]',
    // Generated columns.
    'column product_variants.available integer NOT NULL GENERATED (on_hand - held)',
    'column product_variants.in_stock boolean NOT NULL GENERATED (on_hand > held)',
    'column product_variants.low_stock boolean NOT NULL GENERATED ((on_hand > held) AND ((on_hand - held) <= low_stock_threshold))',
    // Partial indexes.
    "index carts CREATE INDEX carts_over_idx ON public.carts USING btree (updated_at, id) WHERE ((status = ANY (ARRAY['EXPIRED'::cart_status, 'MERGED'::cart_status])) OR ((status = 'ACTIVE'::cart_status) AND (expires_at IS NULL)))",
    'index parked_events CREATE INDEX parked_events_resolved_at_idx ON public.parked_events USING btree (resolved_at, id) WHERE (resolved_at IS NOT NULL)',
    "index stock_alerts CREATE INDEX stock_alerts_over_idx ON public.stock_alerts USING btree (COALESCE(notified_at, created_at)) WHERE (status <> 'WAITING'::stock_alert_status)",
    "index carts CREATE INDEX carts_expires_at_active_idx ON public.carts USING btree (expires_at) WHERE (status = 'ACTIVE'::cart_status)",
    "index carts CREATE UNIQUE INDEX carts_guest_id_active_key ON public.carts USING btree (guest_id) WHERE (status = 'ACTIVE'::cart_status)",
    "index carts CREATE UNIQUE INDEX carts_user_id_active_key ON public.carts USING btree (user_id) WHERE (status = 'ACTIVE'::cart_status)",
    'index event_log CREATE INDEX event_log_subject_id_seq_idx ON public.event_log USING btree (subject_id, seq) WHERE (seq IS NOT NULL)',
    'index event_log CREATE INDEX event_log_unnumbered_idx ON public.event_log USING btree (id) WHERE (seq IS NULL)',
    "index mails CREATE INDEX mails_pending_idx ON public.mails USING btree (due_at, id) WHERE (status = 'PENDING'::mail_status)",
    'index outside_stock CREATE INDEX outside_stock_shortfall_idx ON public.outside_stock USING btree (variant_id) WHERE (shortfall > 0)',
    'index parked_events CREATE INDEX parked_events_waiting_idx ON public.parked_events USING btree (parked_at DESC, id DESC) WHERE (resolved_at IS NULL)',
    'index product_variants CREATE INDEX product_variants_in_stock_idx ON public.product_variants USING btree (in_stock, product_id) WHERE (archived_at IS NULL)',
    'index product_variants CREATE INDEX product_variants_low_stock_idx ON public.product_variants USING btree (product_id) WHERE (low_stock AND (archived_at IS NULL))',
    'index product_variants CREATE INDEX product_variants_selected_options_idx ON public.product_variants USING gin (selected_options jsonb_path_ops) WHERE (archived_at IS NULL)',
    'index product_variants CREATE INDEX product_variants_price_idx ON public.product_variants USING btree (price_minor) INCLUDE (product_id, in_stock) WHERE (archived_at IS NULL)',
    'index products CREATE INDEX products_price_span_idx ON public.products USING btree (status, max_price_minor) WHERE (min_price_minor < max_price_minor)',
    "index stock_alerts CREATE INDEX stock_alerts_turn_idx ON public.stock_alerts USING btree (variant_id, number) WHERE (status = 'WAITING'::stock_alert_status)",
    'index refresh_tokens CREATE INDEX refresh_tokens_spent_idx ON public.refresh_tokens USING btree (spent_at) WHERE (spent_at IS NOT NULL)',
    'index stock_movements CREATE UNIQUE INDEX stock_movements_actor_id_idempotency_key_key ON public.stock_movements USING btree (actor_id, idempotency_key) WHERE (idempotency_key IS NOT NULL)',
    "index users CREATE INDEX users_admin_idx ON public.users USING btree (id) WHERE (role = 'ADMIN'::role)",
    "index webhook_deliveries CREATE INDEX webhook_deliveries_pending_idx ON public.webhook_deliveries USING btree (received_at, id) WHERE (status = 'PENDING'::webhook_delivery_status)",
    "index product_imports CREATE INDEX product_imports_open_idx ON public.product_imports USING btree (updated_at) WHERE (status = ANY (ARRAY['QUEUED'::product_import_status, 'RUNNING'::product_import_status]))",
    'index product_variants CREATE INDEX product_variants_tax_category_id_idx ON public.product_variants USING btree (tax_category_id) WHERE (tax_category_id IS NOT NULL)',
    'index shipping_zones CREATE UNIQUE INDEX shipping_zones_home_key ON public.shipping_zones USING btree (is_home) WHERE is_home',
    'index shipping_zones CREATE UNIQUE INDEX shipping_zones_rest_key ON public.shipping_zones USING btree (is_rest) WHERE is_rest',
    'index tax_categories CREATE UNIQUE INDEX tax_categories_default_key ON public.tax_categories USING btree (is_default) WHERE is_default',
    'index user_addresses CREATE UNIQUE INDEX user_addresses_default_key ON public.user_addresses USING btree (user_id) WHERE is_default',
    'index payment_operations CREATE UNIQUE INDEX payment_operations_capture_key ON public.payment_operations USING btree (payment_id, idempotency_key) WHERE (idempotency_key IS NOT NULL)',
    "index payment_operations CREATE UNIQUE INDEX payment_operations_one_key ON public.payment_operations USING btree (payment_id, kind) WHERE ((kind <> 'REFUND'::payment_operation_kind) AND (state = ANY (ARRAY['QUEUED'::payment_operation_state, 'SENT'::payment_operation_state, 'UNKNOWN'::payment_operation_state])))",
    "index payment_operations CREATE INDEX payment_operations_open_idx ON public.payment_operations USING btree (next_at) WHERE (state = ANY (ARRAY['QUEUED'::payment_operation_state, 'SENT'::payment_operation_state, 'UNKNOWN'::payment_operation_state]))",
    "index payments CREATE INDEX payments_deadline_idx ON public.payments USING btree (deadline) WHERE ((state = ANY (ARRAY['PENDING'::payment_state, 'PROCESSING'::payment_state])) AND (provider <> 'manual'::text))",
    'index payments CREATE INDEX payments_problem_idx ON public.payments USING btree (created_at DESC, id DESC) WHERE (problem IS NOT NULL)',
    'index payments CREATE INDEX payments_refund_pending_idx ON public.payments USING btree (id) WHERE (refund_pending_minor > 0)',
    "index payments CREATE INDEX payments_lapses_at_idx ON public.payments USING btree (lapses_at) WHERE (state = 'AUTHORIZED'::payment_state)",
    'index test_provider_events CREATE INDEX test_provider_events_due_idx ON public.test_provider_events USING btree (due_at) WHERE (due_at IS NOT NULL)',
    "index test_provider_payments CREATE INDEX test_provider_payments_lapses_idx ON public.test_provider_payments USING btree (lapses_at) WHERE (state = 'AUTHORIZED'::text)",
    'index test_provider_payments CREATE INDEX test_provider_payments_late_idx ON public.test_provider_payments USING btree (late_at) WHERE (late_at IS NOT NULL)',
    // An index with further columns.
    'index order_discounts CREATE INDEX order_discounts_usage_idx ON public.order_discounts USING btree (promotion_id, order_id) INCLUDE (code, amount_minor)',
    // Indexes with settings.
    "index orders CREATE INDEX orders_search_idx ON public.orders USING gin (search) WITH (gin_pending_list_limit='256')",
    "index products CREATE INDEX products_search_idx ON public.products USING gin (search) WITH (gin_pending_list_limit='256')",
    "index products CREATE INDEX products_search_title_idx ON public.products USING gin (search_title) WITH (gin_pending_list_limit='256')",
    // Indexes on expressions.
    'index categories CREATE INDEX categories_name_idx ON public.categories USING btree (lower(name), id)',
    "index users CREATE INDEX users_search_idx ON public.users USING gin (lower((((email || ' '::text) || name) COLLATE \"default\")) gin_trgm_ops) WITH (gin_pending_list_limit='256')",
    'index mails CREATE UNIQUE INDEX mails_cause_template_recipient_key ON public.mails USING btree (cause, template, lower(recipient))',
    'index sessions CREATE INDEX sessions_over_idx ON public.sessions USING btree (COALESCE(ended_at, expires_at))',
    'index mails CREATE INDEX mails_recipient_idx ON public.mails USING btree (lower(recipient), created_at DESC, id DESC)',
    "index stock_alerts CREATE INDEX stock_alerts_address_idx ON public.stock_alerts USING btree (lower(email)) WHERE (status = 'WAITING'::stock_alert_status)",
    "index stock_alerts CREATE UNIQUE INDEX stock_alerts_waiting_key ON public.stock_alerts USING btree (variant_id, lower(email)) WHERE (status = 'WAITING'::stock_alert_status)",
    'index orders CREATE INDEX orders_email_idx ON public.orders USING btree (lower(email), placed_at DESC, id DESC)',
    'index users CREATE UNIQUE INDEX users_email_key ON public.users USING btree (lower(email))',
  ];
  const onlyInSchema = [
    'index orders CREATE INDEX orders_search_idx ON public.orders USING gin (search)',
    'index products CREATE INDEX products_search_idx ON public.products USING gin (search)',
    'index products CREATE INDEX products_search_title_idx ON public.products USING gin (search_title)',
    "column event_log.id bigint NOT NULL DEFAULT nextval('event_log_id_seq'::regclass)",
    "column money_entries.id bigint NOT NULL DEFAULT nextval('money_entries_id_seq'::regclass)",
    "column promotion_uses.id bigint NOT NULL DEFAULT nextval('promotion_uses_id_seq'::regclass)",
    "column order_status_changes.id bigint NOT NULL DEFAULT nextval('order_status_changes_id_seq'::regclass)",
    ...lists.map(([column, type]) => `column ${column} ${type}[] DEFAULT ARRAY[]::${type}[]`),
    'column products.tags text[] DEFAULT ARRAY[]::text[]',
    'column users.mails_off text[] DEFAULT ARRAY[]::text[]',
    "column staff_actions.id bigint NOT NULL DEFAULT nextval('staff_actions_id_seq'::regclass)",
    "column stock_alerts.number bigint NOT NULL DEFAULT nextval('stock_alerts_number_seq'::regclass)",
    "column stock_movements.id bigint NOT NULL DEFAULT nextval('stock_movements_id_seq'::regclass)",
  ];

  test('make the same database', async () => {
    const [migrated, drafted] = await Promise.all([createTestDatabase(), createEmptyDatabase()]);
    onTestFinished(async () => {
      await Promise.all([migrated.dispose(), drafted.dispose()]);
    });
    // A default of the schema draws from it; Prisma cannot say that it is there.
    await run(drafted.url, 'CREATE SEQUENCE order_number_seq');
    await run(drafted.url, await diffSchemas(null, schema));

    const [ours, prismas] = [await describeDatabase(migrated.url), await describeDatabase(drafted.url)];
    expect(ours.length).toBeGreaterThan(100);
    expect(ours.filter((line) => !prismas.includes(line))).toEqual(onlyInMigrations.toSorted());
    expect(prismas.filter((line) => !ours.includes(line))).toEqual(onlyInSchema.toSorted());
  });

  test('and the snapshot that the next migration is made from: `npm run migrate:new` was not forgotten', () => {
    expect(readFileSync(join(prisma, 'migrations/schema.snapshot.prisma'), 'utf8')).toBe(schema);
  });
});

describe('a new migration', () => {
  let prismaDir: string;
  const now = new Date('2027-01-02T03:04:05Z');
  const later = new Date('2027-01-02T03:04:06Z');
  const pot = 'model Pot {\n  id Int @id\n}\n';

  beforeEach(() => {
    prismaDir = mkdtempSync(join(inject('postgres').runFolder, 'prisma-'));
    writeFileSync(join(prismaDir, 'schema.prisma'), `datasource db {\n  provider = "postgresql"\n}\n\n${pot}`);
  });

  test('is the difference to the schema as last migrated', async () => {
    const first = await writeMigration({ prismaDir, name: 'init', empty: false, now });
    expect(first).toBe(join(prismaDir, 'migrations/20270102030405_init/migration.sql'));
    expect(readdirSync(join(prismaDir, 'migrations')).toSorted()).toEqual([
      ...['20270102030405_init', 'migration_lock.toml', 'schema.snapshot.prisma'],
    ]);
    expect(await writeMigration({ prismaDir, name: 'nothing', empty: false, now: later })).toBeNull();

    appendFileSync(join(prismaDir, 'schema.prisma'), pot.replace('Pot', 'Jar'));
    const second = await writeMigration({ prismaDir, name: 'add_jars', empty: false, now: later });
    const sql = readFileSync(second ?? '', 'utf8');
    expect(sql).toContain('CREATE TABLE "Jar"');
    expect(sql).not.toContain('Pot');
    expect(sql).toMatch(
      /^-- From prisma\/schema\.prisma .*CHECKs, generated columns, partial indexes and triggers are added by hand/s,
    );
    expect(await writeMigration({ prismaDir, name: 'nothing', empty: false, now: later })).toBeNull();
  });

  test('may be left to be written by hand, and then loses no difference', async () => {
    await writeMigration({ prismaDir, name: 'init', empty: false, now });
    appendFileSync(join(prismaDir, 'schema.prisma'), pot.replace('Pot', 'Jar'));
    const byHand = await writeMigration({ prismaDir, name: 'by_hand', empty: true, now: later });
    expect(readFileSync(byHand ?? '', 'utf8')).not.toContain('CREATE');
    const next = await writeMigration({
      prismaDir,
      name: 'add_jars',
      empty: false,
      now: new Date(later.getTime() + 1000),
    });
    expect(readFileSync(next ?? '', 'utf8')).toContain('CREATE TABLE "Jar"');
  });

  test.each(['', 'Add', 'add-jars', 'add jars', '../jars', 'add__jars', '1st'])('is not named "%s"', async (name) => {
    await expect(writeMigration({ prismaDir, name, empty: false, now })).rejects.toThrow(
      /not a valid name for a migration/,
    );
    expect(readdirSync(prismaDir)).toEqual(['schema.prisma']);
  });

  test('is not made without the snapshot, nor before the last one', async () => {
    await writeMigration({ prismaDir, name: 'init', empty: false, now });
    await expect(writeMigration({ prismaDir, name: 'again', empty: false, now })).rejects.toThrow(/Check the clock/);
    rmSync(join(prismaDir, 'migrations/schema.snapshot.prisma'));
    await expect(writeMigration({ prismaDir, name: 'next', empty: false, now: later })).rejects.toThrow(/is missing/);
  });

  test('is not made from a schema that is wrong', async () => {
    mkdirSync(join(prismaDir, 'migrations'));
    appendFileSync(join(prismaDir, 'schema.prisma'), 'model Jar {\n  id Integer @id\n}\n');
    await expect(writeMigration({ prismaDir, name: 'init', empty: false, now })).rejects.toThrow(
      /"Integer" is neither/,
    );
    expect(readdirSync(join(prismaDir, 'migrations'))).toEqual([]);
  });
});

async function run(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
