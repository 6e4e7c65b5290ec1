/**
 * A step of `npm run build`: bundles the service's two programs, with all packages that are JavaScript, into
 * `dist/src/bundled/service.cjs`, which `dist/src/server.js` and `bin.js` then load (`load-bundle.mjs`). Node would look
 * for some thousand files, one after the other, and compile them again at every start.
 */
import { execFileSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(root, 'dist', 'src', 'bundled', 'service.cjs');
const threads = join(root, 'dist', 'src', 'bundled', 'threads.cjs');

/** Swagger UI serves files beside its own, and `fs-native-extensions` loads one: in a bundle they look elsewhere. */
const filesOfPackages = {
  name: 'files-of-packages',
  setup({ onLoad }) {
    onLoad({ filter: /@fastify[/\\]swagger-ui[/\\](index|lib[/\\]routes)\.js$/ }, async ({ path }) => {
      const own = path.endsWith('routes.js') ? `, 'lib'` : '';
      const folder = `path.join(path.dirname(packageFile('@fastify/swagger-ui'))${own})`;
      return { contents: (await readFile(path, 'utf8')).replaceAll('__dirname', folder), loader: 'js' };
    });
    onLoad({ filter: /fs-native-extensions[/\\]binding\.js$/ }, () => ({
      contents: `module.exports = require('require-addon')('.', packageFile('fs-native-extensions'));`,
      loader: 'js',
    }));
  },
};

/** What `bundle-sdk.mjs` has made of the SDK. */
const bundledSdk = {
  name: 'bundled-sdk',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/sdk\.js$/ }, ({ path, resolveDir }) => ({
      path: join(root, 'dist', relative(root, join(resolveDir, path))),
    }));
  },
};

/**
 * A source map that maps nothing: only the service's own sources are named in stack traces, and reading the map of the
 * bundle is quick.
 */
const NO_MAP = `\n//# sourceMappingURL=data:application/json;base64,${btoa('{"version":3,"sources":[""],"mappings":"gggggBAAA"}')}`;

/** A character as an escape, which means the same in strings, regular expressions and names. */
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const packages = {
  name: 'packages',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\](node_modules|dist[/\\]src)[/\\].*\.[cm]?js$/ }, async ({ path }) => {
      const text = (await readFile(path, 'utf8')).replace(/[\u0080-\uffff]/g, escaped);
      return { contents: text + NO_MAP, loader: 'js' };
    });
  },
};

/** What the builds have in common. */
const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  // A third fewer bytes to parse; stack traces keep their names.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
};

/** What bundles have in common that are loaded with a code cache. */
const script = {
  format: 'cjs',
  sourcemap: true,
  sourcesContent: false,
  // A script with a code cache cannot import: packages that are not in it are loaded by `require`.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'fileUrl' },
  // Both for `require` and for a script: to the former `this` is the exports; to the latter, this is its value.
  banner: {
    js: `this.bundle = function (exports, require, module, __filename) { 'use strict';
      const fileUrl = require('node:url').pathToFileURL(__filename).href, packageFile = require.resolve;`,
  },
  footer: { js: '};' },
  legalComments: 'external',
};

await rm(join(root, 'dist', 'src', 'bundled'), { recursive: true, force: true });
await build({
  ...options,
  ...script,
  entryPoints: ['src/programs.ts'],
  outfile: bundle,
  // Native code, threads of their own, and what only a terminal needs: they are found where they are installed.
  external: ['@duckdb/node-api', 'piscina', 'pino-pretty'],
  plugins: [filesOfPackages, bundledSdk, packages],
});

/** What the tasks of threads need of piscina is loaded in every thread already: the pool itself is not needed there. */
const piscinaOfThreads = {
  name: 'piscina-of-threads',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^piscina$/ }, () => ({ path: 'piscina', namespace: 'thread' }));
    onLoad({ filter: /.*/, namespace: 'thread' }, () => ({
      contents: `
        const { dirname, join } = require('node:path');
        const own = (name) => require(join(dirname(packageFile('piscina')), name));
        const { markMovable } = own('common.js');
        const { kTransferable, kValue } = own('symbols.js');
        exports.move = (value) => (markMovable(value), value);
        exports.transferableSymbol = kTransferable;
        exports.valueSymbol = kValue;`,
    }));
  },
};

/** The modules that run in threads, with the tasks that they export. */
const TASKS = { 'sources/dynamodb/thread': ['read', 'merge'], 'dump/thread': ['readChunk'] };

await build({
  ...options,
  ...script,
  stdin: {
    contents: Object.entries(TASKS)
      .map(([path, names]) => `export { ${names} } from './src/${path}.ts';`)
      .join('\n'),
    resolveDir: root,
    sourcefile: 'threads.ts',
    loader: 'ts',
  },
  outfile: threads,
  plugins: [piscinaOfThreads, bundledSdk, packages],
});

for (const file of [bundle, threads]) {
  const outside = /[\u0080-\uffff].{0,40}/.exec(await readFile(file, 'utf8'));
  if (outside !== null)
    throw new Error(`${file} is not ASCII: ${outside[0]}; write the character as an escape`);
}

/** What loads a bundle and exports so much of it. */
const loading = (names, path) => `
  import { fileURLToPath } from 'node:url';
  import { loadBundle } from './scripts/load-bundle.mjs';
  export const { ${names} } = loadBundle(fileURLToPath(new URL('${path}', import.meta.url)));`;

/** `server.ts` and `bin.ts` with the bundle in the place of `programs.ts`. */
const bundledPrograms = {
  name: 'bundled-programs',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/programs\.js$/ }, () => ({ path: 'programs', namespace: 'bundled' }));
    onLoad({ filter: /.*/, namespace: 'bundled' }, () => ({
      contents: loading(['server', 'command'], './bundled/service.cjs'),
      resolveDir: root,
    }));
  },
};

await build({
  ...options,
  entryPoints: ['src/server.ts', 'src/bin.ts'],
  outdir: 'dist/src',
  format: 'esm',
  plugins: [bundledPrograms],
});

for (const [path, names] of Object.entries(TASKS))
  await build({
    ...options,
    stdin: {
      contents: loading(names, `${'../'.repeat(path.split('/').length - 1)}bundled/threads.cjs`),
      resolveDir: root,
    },
    outfile: `dist/src/${path}.js`,
    allowOverwrite: true,
    format: 'esm',
  });

const { nodeFlags } = await import(pathToFileURL(join(root, 'dist', 'src', 'base', 'project.js')).href);
const warm = (name, flags, file) =>
  execFileSync(process.execPath, [...flags, join(root, 'scripts', name), file], {
    stdio: 'inherit',
    timeout: 60_000,
  });
warm('warm-bundle.mjs', nodeFlags, bundle);
// The threads of a command that was started without the flags load it too.
for (const flags of [nodeFlags, []]) warm('warm-threads.mjs', flags, threads);
