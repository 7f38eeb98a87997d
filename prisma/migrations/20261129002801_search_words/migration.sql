-- From prisma/schema.prisma by "npm run migrate:new -- search_words", and by hand: how text is parted into words, and the
-- indexes of what products are filtered and sorted by.

-- A catalogue of a million products takes minutes.
SET LOCAL statement_timeout = 0;

-- ---------------------------------------------------------------- one rule parts text into words

-- Words of a text as the shop searches them: NFKC, lower case, without marks (accents, Arabic vowel marks, Hebrew points),
-- parted where letters, digits and scripts without spaces meet. What is written and what is searched for both pass through
-- here. Code points alone decide, so the result depends on no locale and no dictionary of the server. Signs alone are a word.
CREATE FUNCTION "search_terms"(source text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain text := coalesce(source, '');
    parted text;
BEGIN
    IF octet_length(plain) > length(plain) THEN
        -- A compatibility character that stands for several is a word of its own: `1½`, `№7`, `3㎏`, `Brand™`.
        plain := regexp_replace(plain, $re$([\u00bc-\u00be\u2116\u2120-\u2122\u2150-\u215f\u2189\u2460-\u24ff\u3200-\u33ff])$re$, $re$ \1 $re$, 'g');
        -- Marks, and characters without width. Those of Thai, Devanagari or kana make other letters and stay.
        plain := regexp_replace(normalize(plain, NFKD), $re$[\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08e1\u08e3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e01ef]$re$, '', 'g');
        plain := normalize(plain, NFKC);
        -- Of ASCII alone, whatever the column's collation and the server's locale; the other scripts with capitals follow.
        plain := translate(lower(plain COLLATE "C"),
            'ı' || chr(160) || '–—‘’“”…•·®©°ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣςΤΥΦΧΨΩАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐŊØøĐđŁłĦħŦŧðÐԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९๐๑๒๓๔๕๖๗๘๙',
            'i             αβγδεζηθικλμνξοπρσστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґŋooddllhhttddաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ0123456789012345678901234567890123456789');
        plain := replace(replace(replace(replace(translate(plain, 'ẞÆŒÞ', 'ßæœþ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    ELSE
        plain := lower(plain COLLATE "C");
    END IF;
    -- Controls, spaces, punctuation, symbols and emoji part words; beyond ASCII only in words that have more than ASCII.
    parted := regexp_replace(plain, $re$[\u0001-\u002f\u003a-\u0060\u007b-\u007f]+$re$, ' ', 'g');
    IF octet_length(parted) > length(parted) THEN
        SELECT string_agg(CASE WHEN octet_length(word) = length(word) THEN word ELSE
            regexp_replace(
                regexp_replace(word, $re$[\u0001-\u002f\u003a-\u0060\u007b-\u00b4\u00b6-\u00b9\u00bb\u00bf\u00d7\u00f7\u02b9-\u02df\u02e5-\u02ff\u037e\u0387\u055a-\u055f\u0589\u058a\u058d-\u058f\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u060f\u061b-\u061f\u066a-\u066d\u06d4\u06dd\u06de\u06e9\u06fd\u06fe\u0700-\u070f\u0964\u0965\u0970\u0df4\u0e3f\u0e4f\u0e5a\u0e5b\u0f00-\u0f17\u0f3a-\u0f3d\u104a-\u104f\u10fb\u1360-\u1368\u1400\u166d\u166e\u1680\u169b\u169c\u16eb-\u16ed\u17d4-\u17d6\u17d8-\u17db\u1800-\u180e\u2000-\u206f\u207a-\u207e\u208a-\u208e\u20a0-\u20cf\u2100-\u214f\u2190-\u2bff\u2e00-\u2e7f\u2ff0-\u2fff\u3000-\u3004\u3008-\u3020\u3030\u3036\u3037\u303d-\u303f\u3099-\u309c\u30a0\u30fb\ua4fe\ua4ff\ua60d-\ua60f\ua673\ua67e\ua6f2-\ua6f7\ua720\ua721\ua789\ua78a\ua8ce\ua8cf\ua9c1-\ua9cd\uaa5c-\uaa5f\uabeb\ud7ff\ue000-\uf8ff\ufd3e\ufd3f\ufdfc-\ufdff\ufe10-\ufe1f\ufe30-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff\U0001f000-\U0001faff\U000f0000-\U0010ffff]+$re$, ' ', 'g'),
                $re$([\u0e00-\u0eff\u0f18-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3038-\u303c\u3040-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaadf\uac00-\ud7fe\uf900-\ufaff\U00016fe0-\U00018cff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]+)$re$, $re$ \1 $re$, 'g')
        END, ' ' ORDER BY ordinal) INTO parted FROM string_to_table(parted, ' ') WITH ORDINALITY AS w(word, ordinal);
    END IF;
    parted := regexp_replace(parted, $re$([0-9]+)$re$, $re$ \1 $re$, 'g');
    parted := btrim(regexp_replace(parted, ' +', ' ', 'g'), ' ');
    IF parted <> '' THEN
        RETURN string_to_array(parted, ' ');
    END IF;
    plain := regexp_replace(plain, $re$[\u0001-\u0020\u007f-\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$re$, '', 'g');
    RETURN CASE WHEN plain = '' THEN ARRAY[]::text[] ELSE ARRAY[plain] END;
END $$;

-- Whether a word is of a script without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese, …) or of Korean,
-- whose spaces are no help: it is found by any part of it.
CREATE FUNCTION "search_is_run"(word text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ascii(word) >= 3584 AND word ~ $re$^[\u0e00-\u0eff\u0f18-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3038-\u303c\u3040-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\ua9e0-\ua9ff\uaa60-\uaadf\uac00-\ud7fe\uf900-\ufaff\U00016fe0-\U00018cff\U0001aff0-\U0001b16f\U00020000-\U0003ffff]$re$
$$;

-- A lexeme as the text form of tsvector and tsquery takes it; longer ones than 2 kB are not allowed there.
CREATE FUNCTION "search_quoted"(lexeme text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '''' || replace(replace(left(lexeme, 500), $re$\$re$, $re$\\$re$), '''', '''''') || ''''
$$;

-- Words as written (for unfinished words) and by their English stems (for finished ones). A run is there by its pairs of
-- characters, each at its place, and by its last character: any part of it is a phrase of pairs, one character a beginning.
CREATE FUNCTION "search_document"(words text[]) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    spaced text := array_to_string(words, ' ');
    latin text;
    others tsvector := '';
BEGIN
    -- Of short ASCII words PostgreSQL's own parser makes the same words, much faster. It is asked for nothing else: what it
    -- takes for a letter depends on the server's locale.
    IF octet_length(spaced) = length(spaced) AND spaced ~ '^[a-z0-9 ]*$' AND (SELECT coalesce(max(length(word)), 0) < 250 FROM unnest(words) AS word) THEN
        latin := spaced;
    ELSE
        latin := array_to_string(ARRAY(SELECT word FROM unnest(words) AS word WHERE length(word) < 250 AND word ~ '^[a-z0-9]+$'), ' ');
        SELECT string_agg("search_quoted"(lexeme) || ':' || least(place, 16383), ' ') INTO others FROM (
            SELECT CASE WHEN w.run THEN substr(w.word, i, 2) ELSE w.word END AS lexeme, row_number() OVER (ORDER BY w.ordinal, i) AS place
              FROM (SELECT word, ordinal, "search_is_run"(word) AS run FROM unnest(words) WITH ORDINALITY AS u(word, ordinal)
                     WHERE NOT (length(word) < 250 AND word ~ '^[a-z0-9]+$')) AS w,
                   generate_series(1, CASE WHEN w.run THEN length(w.word) ELSE 1 END) AS i
        ) AS lexemes;
    END IF;
    RETURN coalesce(others, '') || to_tsvector('simple', latin) || to_tsvector('english', latin);
END $$;

-- What a search looks for: all of its words. Finished words by their English stems, the last one by its stem or as the
-- beginning of a word as it is written. (A stemmed prefix alone would lose `organi` for `organic`, whose stem is `organ`.)
-- Stop words count only where there is nothing else. NULL where there are no words.
CREATE FUNCTION "search_query"(source text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words text[] := "search_terms"(source);
    parts text[] := '{}';
    stops text[] := '{}';
    stems text[];
    word text;
    quoted text;
BEGIN
    FOR i IN 1 .. cardinality(words) LOOP
        word := words[i];
        quoted := "search_quoted"(word);
        IF "search_is_run"(word) THEN
            IF length(word) = 1 THEN
                parts := parts || (quoted || ':*');
            ELSE
                parts := parts || (SELECT string_agg("search_quoted"(substr(word, j, 2)), ' <-> ' ORDER BY j) FROM generate_series(1, length(word) - 1) AS j);
            END IF;
            CONTINUE;
        END IF;
        stems := CASE WHEN word ~ '^[a-z]+$' AND length(word) < 250 THEN ts_lexize('english_stem', word) ELSE ARRAY[word] END;
        IF i = cardinality(words) THEN
            quoted := quoted || ':*';
            IF stems <> '{}' THEN
                quoted := '(' || quoted || ' | ' || "search_quoted"(stems[1]) || ')';
            END IF;
            parts := parts || quoted;
            IF stems = '{}' AND cardinality(parts) = 1 THEN
                parts := stops || parts;
            END IF;
        ELSIF stems = '{}' THEN
            stops := stops || quoted;
        ELSE
            parts := parts || "search_quoted"(stems[1]);
        END IF;
    END LOOP;
    RETURN CASE WHEN cardinality(words) = 0 THEN NULL ELSE array_to_string(parts, ' & ') END::tsquery;
END $$;
-- Nodes of the version before still call "search_words"(text) and "search_vector"(text): they stay.

-- ---------------------------------------------------------------- what a product is found by

ALTER TABLE "products" ADD COLUMN "search_title" tsvector;

CREATE OR REPLACE FUNCTION "products_derive"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    skus text;
BEGIN
    SELECT min("price_minor"), max("price_minor"), string_agg("sku", ' ' ORDER BY "position", "id")
      INTO NEW."min_price_minor", NEW."max_price_minor", skus
      FROM "product_variants" WHERE "product_id" = NEW."id" AND "archived_at" IS NULL;
    -- A Turkish locale would make another letter of I.
    NEW."sort_title" := lower(translate(unaccent(NEW."title"), 'Iİ', 'ii'));
    NEW."search_title" := "search_document"("search_terms"(NEW."title") || "search_terms"(skus));
    NEW."search" := setweight(NEW."search_title", 'A')
        || setweight("search_document"("search_terms"(NEW."vendor") || "search_terms"(array_to_string(NEW."tags", ' '))), 'B')
        -- Descriptions may hold simple HTML: tags and entities are no words.
        || setweight("search_document"("search_terms"(
               regexp_replace(NEW."description", '</?[a-zA-Z][^<>]*>|&#?[a-zA-Z0-9]{2,10};', ' ', 'g'))), 'C');
    RETURN NEW;
END $$;

DROP INDEX "products_search_idx", "products_created_at_id_idx", "products_sort_title_id_idx", "products_min_price_minor_id_idx",
    "products_category_id_created_at_id_idx";

-- By the trigger: every product gets its words anew.
UPDATE "products" SET "title" = "title";

CREATE INDEX "products_search_idx" ON "products" USING GIN ("search");
CREATE INDEX "products_search_title_idx" ON "products" USING GIN ("search_title");

-- ---------------------------------------------------------------- lists

-- Every list is of one status.
CREATE INDEX "products_status_created_at_id_idx" ON "products"("status", "created_at" DESC, "id" DESC);
CREATE INDEX "products_status_sort_title_id_idx" ON "products"("status", "sort_title", "id");
CREATE INDEX "products_status_min_price_minor_id_idx" ON "products"("status", "min_price_minor", "id");
CREATE INDEX "products_category_id_status_created_at_id_idx" ON "products"("category_id", "status", "created_at" DESC, "id" DESC);

-- Products whose variants differ in price: some are cheaper than a range in which another of their variants is.
CREATE INDEX "products_price_span_idx" ON "products"("status", "max_price_minor") WHERE "min_price_minor" < "max_price_minor";

-- Changes only where a variant sells out or comes back, so an index on it leaves the counters' updates heap-only.
ALTER TABLE "product_variants" ADD COLUMN "in_stock" BOOLEAN NOT NULL GENERATED ALWAYS AS ("on_hand" > "held") STORED;

CREATE INDEX "product_variants_in_stock_idx" ON "product_variants"("in_stock", "product_id") WHERE "archived_at" IS NULL;
CREATE INDEX "product_variants_price_idx" ON "product_variants"("price_minor") INCLUDE ("product_id", "in_stock") WHERE "archived_at" IS NULL;
