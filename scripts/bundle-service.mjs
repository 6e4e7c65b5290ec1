/**
 * A step of `npm run build`: bundles the service's two programs, with all packages that are JavaScript, in the place of
 * their compiled files. Node would look for some thousand files, one after the other, which is most of the start.
 * Their parts that are loaded later (DuckDB, `--check`, the commands) are in `dist/src/bundled`.
 */
import { readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Swagger UI serves files beside its own: in a bundle `__dirname` is another folder. */
const filesOfSwaggerUi = {
  name: 'files-of-swagger-ui',
  setup({ onLoad }) {
    onLoad({ filter: /@fastify[/\\]swagger-ui[/\\](index|lib[/\\]routes)\.js$/ }, async ({ path }) => {
      const own = path.endsWith('routes.js') ? `, 'lib'` : '';
      const folder = `path.join(path.dirname(require.resolve('@fastify/swagger-ui'))${own})`;
      return { contents: (await readFile(path, 'utf8')).replaceAll('__dirname', folder), loader: 'js' };
    });
  },
};

/** What `bundle-sdk.mjs` has made of the SDK. */
const bundledSdk = {
  name: 'bundled-sdk',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/sdk\.js$/ }, ({ resolveDir }) => ({
      path: join(root, 'dist', relative(root, resolveDir), 'sdk.js'),
    }));
  },
};

await rm(join(root, 'dist', 'src', 'bundled'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/server.ts', 'src/bin.ts', 'src/sources/dynamodb/thread.ts', 'src/dump/thread.ts'],
  outbase: 'src',
  outdir: 'dist/src',
  chunkNames: 'bundled/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  sourcemap: true,
  // A third fewer bytes to parse; stack traces keep their names.
  minifyWhitespace: true,
  minifySyntax: true,
  // Native code, threads of their own, and what only a terminal needs: they are found where they are installed.
  external: ['@duckdb/node-api', 'fs-native-extensions', 'piscina', 'pino-pretty'],
  banner: {
    js: `import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);`,
  },
  plugins: [filesOfSwaggerUi, bundledSdk],
  logLevel: 'warning',
});
