-- By hand: what an index of words is asked for, and how much it keeps unsorted.

-- All words of a search but the last one, which may be unfinished. For an unfinished word an index first collects every row that has any
-- word with that beginning; for finished words alone it need not. NULL where none but stop words are finished.
CREATE FUNCTION "search_finished"(source text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words text[] := "search_terms"(source);
    parts text[] := '{}';
    stems text[];
    word text;
BEGIN
    FOR i IN 1 .. cardinality(words) - 1 LOOP
        word := words[i];
        IF "search_is_run"(word) THEN
            IF length(word) = 1 THEN
                parts := parts || ("search_quoted"(word) || ':*');
            ELSE
                parts := parts || (SELECT string_agg("search_quoted"(substr(word, j, 2)), ' <-> ' ORDER BY j) FROM generate_series(1, length(word) - 1) AS j);
            END IF;
            CONTINUE;
        END IF;
        stems := CASE WHEN word ~ '^[a-z]+$' AND length(word) < 250 THEN ts_lexize('english_stem', word) ELSE ARRAY[word] END;
        IF stems <> '{}' THEN
            parts := parts || "search_quoted"(stems[1]);
        END IF;
    END LOOP;
    RETURN nullif(array_to_string(parts, ' & '), '')::tsquery;
END $$;

-- Finds what "search_query" finds. That one names the last word twice, as a beginning and as a stem, which its rank is made from. Here a
-- stem that has the same beginning is left out: each word takes an index its time for each row.
CREATE FUNCTION "search_match"(source text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    words text[] := "search_terms"(source);
    word text := words[cardinality(words)];
    finished tsquery := "search_finished"(source);
    stems text[];
    begun tsquery;
BEGIN
    IF word IS NULL OR "search_is_run"(word) THEN
        RETURN "search_query"(source);
    END IF;
    stems := CASE WHEN word ~ '^[a-z]+$' AND length(word) < 250 THEN ts_lexize('english_stem', word) ELSE ARRAY[word] END;
    IF finished IS NULL AND stems = '{}' THEN
        -- Nothing but stop words.
        RETURN "search_query"(source);
    END IF;
    begun := ("search_quoted"(word) || ':*')::tsquery;
    IF stems <> '{}' AND NOT starts_with(stems[1], word) THEN
        begun := begun || "search_quoted"(stems[1])::tsquery;
    END IF;
    RETURN CASE WHEN finished IS NULL THEN begun ELSE finished && begun END;
END $$;

-- A GIN index keeps what is new in a list, which each search reads from end to end, until the list has 4 MB (tens of thousands of
-- orders). With less a search stays fast, and the write that sorts the list into the index takes milliseconds instead of half a second.
ALTER INDEX "products_search_idx" SET (gin_pending_list_limit = 256);
ALTER INDEX "products_search_title_idx" SET (gin_pending_list_limit = 256);
ALTER INDEX "orders_search_idx" SET (gin_pending_list_limit = 256);
ALTER INDEX "users_search_idx" SET (gin_pending_list_limit = 256);
