// Turns the parts of a build into CommonJS. A start loads more than two hundred of them, and node takes a sixth of the processor time
// of the whole start longer for so many ES modules.

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { transform } from 'esbuild';

/** Files that are loaded by others, some of them late. Their names contain a hash of what is in them. */
export const isPart = (name) => /-[A-Z0-9]{8}\.[cm]js$/.test(name);

/**
 * Turns the parts in a folder into CommonJS. Entries remain ES modules, since they may await something at the top, and load the parts
 * by `require`. Each file keeps its source map, where it has one.
 * @param banner the line with which each file begins, and which gives ES modules a `require`
 */
export async function useCommonJs(folder, banner) {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.mjs'));
  const parts = new Set(names.filter(isPart));
  const turned = await Promise.allSettled(
    names.map(async (name) => {
      const path = join(folder, name);
      // Positions in the sources stay known where no line moves, and the map comes along with the code.
      const code = (await readFile(path, 'utf8'))
        .replace(`${banner}\n`, '\n')
        .replace(/\/\/# sourceMappingURL=.*\s*$/, '');
      const map = await readFile(`${path}.map`, 'base64').catch(whereThere);
      const withMap = (text) =>
        map === null ? text : `${text}//# sourceMappingURL=data:application/json;base64,${map}`;
      const entry = parts.has(name) ? null : takeParts(code, parts);
      const made = await transform(withMap(entry === null ? code : entry.code), {
        // ES modules are strict, too.
        ...(entry === null
          ? { format: 'cjs', banner: `"use strict";${lateBy('require')}` }
          : { format: 'esm', banner: `${banner}${entry.head}${lateBy('requirePart')}`, define: entry.names }),
        platform: 'node',
        target: 'node20',
        // As node treats it: `default` of a package is what the package exports.
        sourcefile: name,
        minifyWhitespace: true,
        ...(map === null ? {} : { sourcemap: 'external', sourcesContent: false }),
        logLevel: 'error',
      });
      await Promise.all([rm(path), rm(`${path}.map`, { force: true })]);
      const target = entry === null ? asCommonJs(path) : path;
      const text = useRequire(made.code, parts);
      await writeFile(target, map === null ? text : `${text}//# sourceMappingURL=${basename(target)}.map\n`);
      if (map !== null) await writeFile(`${target}.map`, made.map);
    }),
  );
  const failed = turned.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** @returns null where a file is not there */
function whereThere(error) {
  if (error.code === 'ENOENT') return null;
  throw error;
}

const asCommonJs = (name) => name.replace(/\.mjs$/, '.cjs');

/** Loads a part late, with the promise that `import()` gives. */
const lateBy = (require) => `const later_=(part)=>Promise.resolve().then(()=>${require}(part));`;

/** Has a file load parts by `require`. Each new text is as long as the old one, since the map of the file is made already. */
function useRequire(code, parts) {
  return code.replaceAll(/\b(require|import)\("(\.[^"]+)"\)/g, (all, how, part) =>
    parts.has(basename(part)) ? `${how === 'import' ? 'later_' : how}("${asCommonJs(part)}")` : all,
  );
}

/**
 * Takes the imports of parts from the beginning of an entry.
 * @returns the entry without them; the code that loads the parts instead; and what a name of the entry stands for, which may change
 * as a variable of the part changes
 */
function takeParts(code, parts) {
  const names = {};
  let head = 'const requirePart=makeRequire(import.meta.url);';
  let count = 0;
  const taken = /^\s*(?:import(?:\{[^}]*\}from)?"\.[^"]+";)*/.exec(code)[0];
  for (const [, list, part] of taken.matchAll(/import(?:\{([^}]*)\}from)?"([^"]+)";/g)) {
    if (!parts.has(basename(part))) throw new Error(`an entry imports ${part}, which is no part`);
    count += 1;
    head += `const part${count}=requirePart("${asCommonJs(part)}");`;
    for (const item of list?.split(',') ?? []) {
      const [name, local = name] = item.split(' as ');
      names[local] = `part${count}.${name}`;
    }
  }
  // Files of the shop that import an entry take what it exports from a part.
  const rest = code.slice(taken.length).replace(/\bexport\{[^}]*\};?\s*$/, '');
  return { code: taken.replaceAll(/\S/g, ' ') + rest, head, names };
}
