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

// Typed documents: `graphql('query …')` from tests/generated/gql/index.ts for tests and benchmarks, and from
// src/web/shared/graphql.ts for the web apps, of whose generated code only the types are used.
const config: CodegenConfig = {
  schema: 'schema.graphql',
  ignoreNoDocuments: true,
  importExtension: '.ts',
  // Only what goes through `graphql()` is read: tests of bad requests hold documents that are not valid.
  pluckConfig: { globalGqlIdentifierName: ['graphql'], gqlMagicComment: 'typed-graphql', modules: [] },
  generates: {
    'tests/generated/gql/': { documents: ['tests/**/*.ts', 'bench/**/*.ts', '!tests/generated/**'], ...preset },
    'src/web/generated/': { documents: ['src/web/**/*.{ts,tsx}', '!src/web/generated/**'], ...preset },
  },
};

export default config;
