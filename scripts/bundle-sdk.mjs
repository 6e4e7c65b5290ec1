/**
 * A step of `npm run build`: bundles what the rooms `sources/dynamodb` and `sources/ec2` take from the AWS SDK (their `sdk.ts`)
 * into the compiled files. Node would load each package of the SDK as a whole: EC2's alone takes 0.3 s of the start
 * and 55 MB of memory, for the two of its operations that are called. What both rooms share is kept once, in
 * `dist/src/sdk`.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The SDK's schemas name members by constants (`{ [_xN]: 1 }`), and a bundler has to believe that evaluating a computed
 * name does something: it would keep them all. Written as names (`{ "xmlName": 1 }`) they mean the same.
 */
const namesOfSchemas = {
  name: 'names-of-schemas',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]schemas_\d+\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const names = new Map(
        Array.from(text.matchAll(/^const (_\w+) = ("[^"]*");$/gm), ([, name, value]) => [name, value]),
      );
      const contents = text.replace(/\[(_\w+)\]:/g, (computed, name) =>
        names.has(name) ? `${names.get(name)}:` : computed,
      );
      return { contents, loader: 'js' };
    });
  },
};

await rm(join(root, 'dist', 'src', 'sdk'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/sources/dynamodb/sdk.ts', 'src/sources/ec2/sdk.ts'],
  outbase: 'src',
  outdir: 'dist/src',
  chunkNames: 'sdk/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  // The packages' ES modules: of CommonJS nothing can be left out.
  mainFields: ['module', 'main'],
  // CommonJS modules among them ask for Node's own by `require`.
  banner: {
    js: `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`,
  },
  plugins: [namesOfSchemas],
  logLevel: 'warning',
});
