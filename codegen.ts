import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodegenConfig } from '@graphql-codegen/cli';

const preset = {
  preset: 'client' as const,
  presetConfig: { fragmentMasking: false },
  config: {
    useTypeImports: true,
    enumType: 'string-literal',
    strictScalars: true,
    scalars: {
      ID: 'string',
      DateTime: 'string',
      Decimal: 'string',
      EventCursor: 'string',
      CurrencyCode: 'string',
    },
  },
};

/** Files with typed documents. Parsing the others, nine in ten, would take most of the time. */
function documentsIn(...folders: string[]): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return files.filter(
    (file) => /\.tsx?$/.test(file) && !file.includes('generated/') && /\bgraphql\s*\(/.test(readFileSync(file, 'utf8')),
  );
}

// Typed documents: `graphql('query …')` from tests/generated/gql/index.ts for tests and benchmarks, and from
// src/web/shared/graphql.ts for the web apps, of whose generated code only the types are used.
const config: CodegenConfig = {
  schema: 'schema.graphql',
  ignoreNoDocuments: true,
  importExtension: '.ts',
  // Only what goes through `graphql()` is read: tests of bad requests hold documents that are not valid.
  pluckConfig: { globalGqlIdentifierName: ['graphql'], gqlMagicComment: 'typed-graphql', modules: [] },
  generates: {
    'tests/generated/gql/': { documents: documentsIn('tests', 'bench'), ...preset },
    'src/web/generated/': { documents: documentsIn('src/web'), ...preset },
  },
};

export default config;
