// Has stack traces of compiled files name the sources. Node's own `--enable-source-maps` would read and keep the map of each file
// as the file is loaded, which costs more memory than the code; here a map is read when an error is shown whose trace needs it.

import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Maps that are kept: an error is often shown again. */
const MOST = 4;

/** Has traces name the sources of the files in a folder. */
export function showSources(folder) {
  const prefixes = [`${folder}${sep}`, pathToFileURL(`${folder}/`).href];
  const maps = new Map();

  function mapOf(url) {
    let map = maps.get(url);
    if (map === undefined) {
      try {
        map = new SourceMap(JSON.parse(readFileSync(`${pathOf(url)}.map`, 'utf8')));
      } catch {
        map = null;
      }
      maps.set(url, map);
      if (maps.size > MOST) maps.delete(maps.keys().next().value);
    }
    return map;
  }

  /** A line of a trace, with the place in the source instead of that in the compiled file. */
  function describe(site) {
    const text = String(site);
    const url = site.getFileName();
    const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
    if (
      typeof url !== 'string' ||
      !prefixes.some((prefix) => url.startsWith(prefix)) ||
      line === null ||
      column === null
    )
      return text;
    const found = mapOf(url)?.findEntry(line - 1, column - 1);
    if (found?.originalSource === undefined) return text;
    const source = resolve(dirname(pathOf(url)), found.originalSource);
    return text.replace(`${url}:${line}:${column}`, `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`);
  }

  Error.prepareStackTrace = (error, sites) =>
    [String(error), ...sites.map((site) => `    at ${describe(site)}`)].join('\n');
}

/** ES modules are named by their addresses in a trace, others by their paths. */
const pathOf = (name) => (name.startsWith('file:') ? fileURLToPath(name) : name);
