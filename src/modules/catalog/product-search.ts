/** Words that were searched for; the last may be unfinished. */
export interface SearchWords {
  finished: string;
  last: string;
}

/**
 * The words of a search as they are looked for, or null where there are none. Everything that is no letter and no digit
 * parts words, as the database's `search_words` does for what is found.
 */
export function parseSearch(text: string): SearchWords | null {
  // An accent by itself is no word: nothing would be left of it but a prefix of no letters, which is no tsquery.
  const words = text.normalize('NFC').match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu) ?? [];
  const last = words.at(-1);
  return last === undefined ? null : { finished: words.slice(0, -1).join(' '), last };
}

/**
 * SQL of the tsquery: finished words by their English stems, the last one by its stem or as the beginning of a word as it
 * is written. (A stemmed prefix alone would lose `organi` for `organic`, whose stem is `organ`.)
 * @param parameter adds a value to the statement and gives its placeholder
 */
export function searchQuery(words: SearchWords, parameter: (value: unknown) => string): string {
  const last = parameter(words.last);
  const unfinished = `to_tsquery('simple', '''' || search_words(${last}::text) || ''':*')`;
  const ending = `(${unfinished} || plainto_tsquery('english', search_words(${last}::text)))`;
  if (words.finished === '') return ending;
  return `(plainto_tsquery('english', search_words(${parameter(words.finished)}::text)) && ${ending})`;
}
