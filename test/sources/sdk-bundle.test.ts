/** The bundle of the AWS SDK (`scripts/bundle-sdk.mjs`) against the SDK that is installed: an upgrade that breaks it fails here. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { projectRoot } from '../../src/base/project.js';

const { SCHEMA_MODULES, withLiteralNames } = (await import(
  pathToFileURL(join(projectRoot, 'scripts', 'sdk-schemas.mjs')).href
)) as { SCHEMA_MODULES: RegExp; withLiteralNames(text: string): string };

const CLIENTS = ['client-dynamodb', 'client-ec2', 'client-cloudwatch'];
/** Below the project, so that Node finds the packages that stay outside of the bundle. */
const folder = join(projectRoot, 'dist', 'test', 'sdk-bundle');
after(() => rm(folder, { recursive: true, force: true }));

for (const client of CLIENTS) {
  describe(client, () => {
    const schemas = join(
      projectRoot,
      'node_modules',
      '@aws-sdk',
      client,
      'dist-es',
      'schemas',
      'schemas_0.js',
    );
    const text = readFileSync(schemas, 'utf8');

    test('its schemas have computed names, and none is left of them', () => {
      assert.match(schemas, SCHEMA_MODULES);
      assert.match(text, /\[_\w+\]:/);
      assert.doesNotMatch(withLiteralNames(text), /\[_\w+\]:/);
    });

    test('its schemas are equal with literal names', async () => {
      const [original, literal] = await Promise.all([
        evaluate(schemas, join(folder, client, 'original.js'), []),
        evaluate(schemas, join(folder, client, 'literal.js'), [literalNames]),
      ]);
      assert.ok(Object.keys(original).length > 50, `${Object.keys(original).length} schemas were found`);
      assert.equal(JSON.stringify(literal), JSON.stringify(original));
    });
  });
}

test('the build bundles the operations in use, and leaves out the rest', async () => {
  const compiled = join(projectRoot, 'dist', 'src');
  const [dynamodb, ec2] = await Promise.all(
    ['dynamodb', 'ec2'].map((kind) => readFile(join(compiled, 'sources', kind, 'sdk.js'), 'utf8')),
  );
  const shared = readdirSync(join(compiled, 'sdk')).map((name) =>
    readFileSync(join(compiled, 'sdk', name), 'utf8'),
  );
  const bundle = [dynamodb, ec2, ...shared].join('\n');
  for (const called of [
    'Scan',
    'DescribeTable',
    'DescribeInstances',
    'DescribeInstanceStatus',
    'GetMetricData',
  ]) {
    assert.match(bundle, new RegExp(`"${called}"`), called);
  }
  assert.ok(bundle.length < 1_200_000, `${bundle.length} bytes`);
  for (const other of ['CreateTable', 'PutItem', 'RunInstances', 'PutMetricData', 'DescribeVpcs']) {
    assert.doesNotMatch(bundle, new RegExp(`"${other}"`), other);
  }
});

const literalNames: Plugin = {
  name: 'literal-names',
  setup: ({ onLoad }) =>
    onLoad({ filter: SCHEMA_MODULES }, async ({ path }) => ({
      contents: withLiteralNames(await readFile(path, 'utf8')),
      loader: 'js',
    })),
};

/** A module's exports, through esbuild. */
async function evaluate(entry: string, outfile: string, plugins: Plugin[]): Promise<Record<string, unknown>> {
  await build({
    entryPoints: [entry],
    outfile,
    plugins,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
  });
  return { ...(await import(pathToFileURL(outfile).href)) };
}
