import type { Database } from '../../src/infra/postgres/database.ts';

/** Notices writes to the catalogue whose transaction did not append the event about them. */
export interface SilentWrites {
  forget(): Promise<void>;
  /** Table and operation of each since the last `forget`. */
  found(): Promise<string[]>;
}

/*
 * Looked at when the transaction commits, so the event may come after the write. Rows of this transaction are known by their `xmin`.
 */
const WATCH = `
  CREATE TABLE silent_writes (what text NOT NULL);
  CREATE FUNCTION is_told(told_type text, told_subject uuid) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM event_log WHERE type = told_type AND xmin = pg_current_xact_id()::xid
                      AND (told_subject IS NULL OR subject_id = told_subject))
  $$;
  CREATE FUNCTION note_silent_write() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    stock constant text[] := ARRAY['on_hand', 'held', 'available', 'in_stock'];
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    id uuid := coalesce(after ->> 'id', before ->> 'id')::uuid;
    told boolean;
  BEGIN
    IF before = after THEN RETURN NULL; END IF;
    IF TG_TABLE_NAME = 'products' THEN told := is_told('product_changed', id);
    ELSIF TG_TABLE_NAME = 'categories' THEN told := is_told('category_changed', id);
    ELSIF TG_TABLE_NAME = 'tax_categories' THEN told := is_told('pricing_changed', NULL);
    ELSE
      told := (before - stock = after - stock
               OR is_told('product_changed', coalesce(after ->> 'product_id', before ->> 'product_id')::uuid))
          AND (coalesce(before ->> 'available', '0') = coalesce(after ->> 'available', '0') OR is_told('stock_changed', id));
    END IF;
    IF NOT told THEN INSERT INTO silent_writes VALUES (TG_TABLE_NAME || ' ' || TG_OP); END IF;
    RETURN NULL;
  END $$`;

const TABLES = ['products', 'product_variants', 'categories', 'tax_categories'];

/** Begins to watch a database of a test's own. */
export async function watchSilentWrites({ db }: { db: Database }): Promise<SilentWrites> {
  const client = await db.connect();
  try {
    await client.query(WATCH);
    for (const table of TABLES) {
      await client.query(
        `CREATE CONSTRAINT TRIGGER silent_writes AFTER INSERT OR UPDATE OR DELETE ON ${table}
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_silent_write()`,
      );
    }
  } finally {
    await client.end();
  }
  return {
    async forget() {
      await db.query({ text: 'DELETE FROM silent_writes' });
    },
    async found() {
      const rows = await db.query<{ what: string }>({ text: 'SELECT what FROM silent_writes ORDER BY what' });
      return rows.map(({ what }) => what);
    },
  };
}
