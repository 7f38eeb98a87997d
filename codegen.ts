import type { CodegenConfig } from '@graphql-codegen/cli';

// Typed documents for tests and benchmarks: `graphql('query …')` from tests/generated/gql/index.ts.
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: ['tests/**/*.ts', 'bench/**/*.ts', '!tests/generated/**'],
  ignoreNoDocuments: true,
  importExtension: '.ts',
  // Only what goes through `graphql()` is read: tests of bad requests hold documents that are not valid.
  pluckConfig: { globalGqlIdentifierName: ['graphql'], gqlMagicComment: 'typed-graphql', modules: [] },
  generates: {
    'tests/generated/gql/': {
      preset: 'client',
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
    },
  },
};

export default config;
