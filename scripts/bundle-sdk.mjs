/**
 * A step of `npm run build`: bundles what `archive`, `engines`, `sources/dynamodb`, `sources/ec2` and `demo` take from the AWS
 * SDK (their `sdk.ts`) into the compiled files. Node would load each package of the SDK as a whole: EC2's alone takes 0.3 s of the
 * start and 55 MB of memory, for two operations. What they have in common is bundled once, in `dist/src/sdk`. So the SDK is
 * needed to build only, and not to run.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { SCHEMA_MODULES, withLiteralNames } from './sdk-schemas.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const namesOfSchemas = {
  name: 'names-of-schemas',
  setup({ onLoad }) {
    onLoad({ filter: SCHEMA_MODULES }, async ({ path }) => ({
      contents: withLiteralNames(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};

/** Bundles these files in place of their compiled ones; what they share goes into the folder `shared` of `dist/src`. */
async function bundle(entryPoints, shared) {
  await rm(join(root, 'dist', 'src', shared), { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints,
    outbase: 'src',
    outdir: 'dist/src',
    chunkNames: `${shared}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    // The packages' ES modules: nothing can be left out of CommonJS.
    mainFields: ['module', 'main'],
    // Some dependencies are CommonJS and `require` Node's modules.
    banner: {
      js: `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`,
    },
    plugins: [namesOfSchemas],
    logLevel: 'warning',
  });
}

await bundle(
  [
    'src/archive/sdk.ts',
    'src/engines/sdk.ts',
    'src/sources/dynamodb/sdk.ts',
    'src/sources/dynamodb/streams/sdk.ts',
    'src/sources/ec2/sdk.ts',
  ],
  'sdk',
);
// Apart, because the demo writes to its DynamoDB: the service has no operation that writes.
await bundle(['src/demo/sdk.ts'], 'demo/sdk');
