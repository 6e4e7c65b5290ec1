/**
 * The last step of `npm run build`: bundles the page (src/web/browser) into dist/web. The names of scripts and styles
 * contain a hash of their content, so browsers may cache them forever; index.html refers to them and is revalidated.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src', 'web', 'browser');
const target = join(root, 'dist', 'web');

/** Browsers of the last two years: they have `light-dark()`, `AbortSignal.any` and `Array.prototype.findLast`. */
const BROWSERS = ['chrome123', 'firefox124', 'safari17.5'];

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(source, 'main.ts'), join(source, 'page.css')],
  outdir: target,
  entryNames: '[name]-[hash]',
  bundle: true,
  format: 'esm',
  target: BROWSERS,
  minify: true,
  sourcemap: false,
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning',
});

/** Replaces `main.js` in index.html by `main-HASH.js`. */
let page = readFileSync(join(source, 'index.html'), 'utf8');
for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
  const written = basename(entryPoint).replace(/\.ts$/, '.js');
  if (!page.includes(`"${written}"`)) throw new Error(`index.html does not name ${written}`);
  page = page.replace(`"${written}"`, `"${basename(path)}"`);
}
writeFileSync(join(target, 'index.html'), page);

// Compressed once at the highest level, instead of on each request.
for (const name of readdirSync(target)) {
  const bytes = readFileSync(join(target, name));
  writeFileSync(join(target, `${name}.br`), brotliCompressSync(bytes));
  writeFileSync(join(target, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}
