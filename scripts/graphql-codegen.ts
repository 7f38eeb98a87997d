import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/*
 * node --import tsx scripts/graphql-codegen.ts [--if-changed]
 *
 * Typed documents: `graphql('query …')` from tests/generated/gql/index.ts for tests and benchmarks, and from
 * src/web/shared/graphql.ts for the web apps, of whose generated code only the types are used. This is GraphQL Code Generator
 * without its command line, which would be a quarter of all packages to install. With --if-changed nothing is done, and the generator is
 * not even loaded, if the documents were generated from what is there now.
 */

const OUTPUTS = {
  'tests/generated/gql/': ['tests', 'bench'],
  'src/web/generated/': ['src/web'],
};

const SCHEMA = 'schema.graphql';
/** What the documents are made of besides their sources; the lock file names the version of the generator. */
const MADE_WITH = [SCHEMA, 'package-lock.json', 'scripts/graphql-codegen.ts'];
/** Contains a hash of everything that the documents were made of. */
const STAMP = 'tests/generated/.made-from';

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

interface SourceFile {
  location: string;
  code: string;
}

/** The files in a folder that have documents. The others, nine in ten, would take most of the time to parse. */
function sourcesIn(folder: string): SourceFile[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return files
    .filter((file) => /\.tsx?$/.test(file) && !file.includes('generated/'))
    .map((location) => ({ location, code: readFileSync(location, 'utf8') }))
    .filter(({ code }) => /\bgraphql\s*\(/.test(code));
}

const sources = Object.entries(OUTPUTS).map(([output, folders]) => ({
  output,
  files: folders.flatMap(sourcesIn).toSorted((a, b) => (a.location < b.location ? -1 : 1)),
}));

function hashOfInputs(): string {
  const hash = createHash('sha256');
  const add = (name: string, content: string) => hash.update(`${name}\n${content.length}\n${content}`);
  for (const name of MADE_WITH) add(name, readFileSync(name, 'utf8'));
  for (const { output, files } of sources) {
    hash.update(output);
    for (const { location, code } of files) add(location, code);
  }
  return hash.digest('hex');
}

function isCurrent(): boolean {
  const areThere = Object.keys(OUTPUTS).every((output) => existsSync(join(output, 'graphql.ts')));
  return areThere && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hashOfInputs();
}

async function generate(): Promise<void> {
  const [{ preset }, { codegen }, { gqlPluckFromCodeStringSync }, { buildASTSchema, parse, Source }] =
    await Promise.all([
      import('@graphql-codegen/client-preset'),
      import('@graphql-codegen/core'),
      import('@graphql-tools/graphql-tag-pluck'),
      import('graphql'),
    ]);
  const documentsOf = ({ location, code }: SourceFile) =>
    gqlPluckFromCodeStringSync(location, code, PLUCK).map(({ body }) => ({
      location,
      rawSDL: body,
      document: parse(new Source(body, location)),
    }));
  rmSync(STAMP, { force: true });
  const schema = parse(readFileSync(SCHEMA, 'utf8'));
  const schemaAst = buildASTSchema(schema);
  for (const { output: baseOutputDir, files: withDocuments } of sources) {
    const files = await preset.buildGeneratesSection({
      baseOutputDir,
      schema,
      schemaAst,
      documents: withDocuments.flatMap(documentsOf),
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
  writeFileSync(STAMP, hashOfInputs());
}

if (!process.argv.includes('--if-changed') || !isCurrent()) {
  await generate().catch((error: unknown) => {
    // With the file, the line and the text where it is a document that is wrong.
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
}
