/*
 * Loaded before anything else by the processes that run tests. Each client of Prisma takes the description of all queries apart
 * anew, and makes a compiler of queries when it is first used: 150 ms of processor time and 17 MB for each shop of a test. Here the
 * clients of a process share both. Neither has any state of its own.
 */
const Module = require('node:module');

const FILE = '@prisma/client/runtime/client.js';
const DESCRIPTION = /static deserialize\((\w+),(\w+)\)\{let (\w+)=(\w+)\(\1\);/;
const COMPILER = /new (\w+)\((\{datamodel:this\.datamodel,provider:\w+,connectionInfo:\w+\})\)/;

const compilers = new Map();
globalThis.shareQueryCompiler = (QueryCompiler, options) => {
  const key = JSON.stringify(options);
  if (!compilers.has(key)) compilers.set(key, new QueryCompiler(options));
  // A client frees its own when it disconnects.
  return Object.assign(Object.create(compilers.get(key)), { free() {} });
};

function share(content) {
  if (!DESCRIPTION.test(content) || !COMPILER.test(content))
    process.stderr.write(`${FILE} has changed: ${__filename} finds nothing to share in it.\n`);
  return content
    .replace(DESCRIPTION, 'static deserialize($1,$2){let $3=$1.takenApart??=$4($1);')
    .replace(COMPILER, 'globalThis.shareQueryCompiler($1,$2)');
}

const compile = Module.prototype._compile;
Module.prototype._compile = function (content, filename, ...rest) {
  const isShared = filename.replaceAll('\\', '/').endsWith(FILE);
  return compile.call(this, isShared ? share(content) : content, filename, ...rest);
};
