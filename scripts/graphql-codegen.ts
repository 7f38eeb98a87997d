import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { gqlPluckFromCodeStringSync } from '@graphql-tools/graphql-tag-pluck';
import { buildASTSchema, parse, Source } from 'graphql';

/*
 * Typed documents: `graphql('query …')` from tests/generated/gql/index.ts for tests and benchmarks, and from
 * src/web/shared/graphql.ts for the web apps, of whose generated code only the types are used. This is GraphQL Code Generator
 * without its command line, which would be a quarter of all packages to install.
 */

const OUTPUTS = {
  'tests/generated/gql/': ['tests', 'bench'],
  'src/web/generated/': ['src/web'],
};

const IMPORTS = { importExtension: '.ts', emitLegacyCommonJSImports: false } as const;

const CONFIG = {
  useTypeImports: true,
  enumType: 'string-literal',
  strictScalars: true,
  scalars: { ID: 'string', DateTime: 'string', Decimal: 'string', EventCursor: 'string', CurrencyCode: 'string' },
  ...IMPORTS,
};

/** Only what goes through `graphql()` is read: tests of bad requests hold documents that are not valid. */
const PLUCK = {
  globalGqlIdentifierName: ['graphql'],
  gqlMagicComment: 'typed-graphql',
  modules: [],
  skipIndent: true,
};

/** The documents in a folder. Files without a call are not parsed: nine in ten, which would take most of the time. */
function documentsIn(folder: string) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return files
    .filter((file) => /\.tsx?$/.test(file) && !file.includes('generated/'))
    .flatMap((location) => {
      const code = readFileSync(location, 'utf8');
      if (!/\bgraphql\s*\(/.test(code)) return [];
      const sources = gqlPluckFromCodeStringSync(location, code, PLUCK);
      return sources.map((source) => ({
        location,
        rawSDL: source.body,
        document: parse(new Source(source.body, location)),
      }));
    });
}

async function generate(): Promise<void> {
  const schema = parse(readFileSync('schema.graphql', 'utf8'));
  const schemaAst = buildASTSchema(schema);
  for (const [baseOutputDir, folders] of Object.entries(OUTPUTS)) {
    const files = await preset.buildGeneratesSection({
      baseOutputDir,
      schema,
      schemaAst,
      documents: folders.flatMap(documentsIn).toSorted((a, b) => (a.location < b.location ? -1 : 1)),
      config: CONFIG,
      presetConfig: { fragmentMasking: false },
      plugins: [],
      pluginMap: {},
    });
    for (const file of files) {
      mkdirSync(dirname(file.filename), { recursive: true });
      writeFileSync(file.filename, await codegen({ ...file, ...IMPORTS }));
    }
  }
}

await generate().catch((error: unknown) => {
  // With the file, the line and the text where it is a document that is wrong.
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
