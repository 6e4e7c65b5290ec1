import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { patientFetch } from '../support/patient-fetch.js';
import { startService } from '../support/service.js';
import { readPage } from './markdown.js';

/** What README.md shows as answers, held against the service. */

const readme = readPage('README.md');

interface Example {
  readonly url: string;
  /** Lines. */
  readonly shown: readonly string[];
}

const examples: readonly Example[] = readme.blocks
  .filter(({ language }) => language === 'console')
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((example) => {
    const [command = '', ...shown] = example.trimEnd().split('\n');
    const [, quoted, bare] = /^curl (?:'localhost:8080([^']+)'|localhost:8080([^\s']+))$/.exec(command) ?? [];
    assert.ok(quoted ?? bare, `this test does not know how to run: ${command}`);
    return { url: quoted ?? bare ?? '', shown };
  });

test('against the running demo', async (t) => {
  const demo = await startService(t, {
    program: 'demo/main.js',
    config: '', // the demo has its own
    env: { ALLOW_SQL: 'true', LOG_LEVEL: '' },
  });
  const service = /Page +(http:\/\/[\d.:]+)\//.exec(await demo.printed(/Ctrl-C ends it/))![1]!;
  assert.ok(examples.length > 5, `${examples.length} examples were found`);

  for (const { url, shown } of examples) {
    await t.test(url, async () => {
      const response = await patientFetch(service + url);
      const text = await response.text();
      const type = response.headers.get('content-type');
      if (!response.ok) assert.deepEqual(text.trimEnd().split('\n'), shown);
      else if (type?.startsWith('application/json')) assertSameKeys(text, shown.join('\n'));
      else assertSameHeader(text, shown.join('\n'));
    });
  }

  await t.test('each endpoint is in README.md', async () => {
    const { paths } = (await (await fetch(`${service}/openapi.json`)).json()) as { paths: object };
    const documented = new Set(
      readme.codeSpans
        .filter((code) => /^(GET|POST) \//.test(code))
        .map((code) => code.replace(/^\w+ /, '').replace(/\?.*/, '')),
    );
    assert.ok('/sql' in paths && '/csv' in paths, Object.keys(paths).join(', '));
    for (const path of Object.keys(paths)) {
      assert.ok(documented.has(path.replaceAll(/\{(\w+)\}/g, ':$1')), path);
    }
    for (const path of documented) {
      if (path.includes(':') || ['/csv', '/sql'].includes(path)) continue;
      assert.equal((await patientFetch(service + path)).status, 200, path);
    }
  });
});

test('--check prints the columns that README.md shows', async (t) => {
  const check = await startService(t, {
    config: 'tables: { my-table: {} }',
    env: { AWS_REGION: null },
    args: ['--check'],
  });
  await check.exit;
  const { text: shown } = readme.blocks.find(({ text }) => text.startsWith('dataset '))!;
  const columns = (output: string) => output.split('\n')[0]!.split(/ {2,}/);
  assert.deepEqual(columns(check.output()), columns(shown));
});

/** The same header; `parse` itself refuses a row with another number of cells. */
function assertSameHeader(answer: string, shown: string): void {
  const header = (text: string) => (parse(text) as string[][])[0];
  assert.deepEqual(header(answer), header(shown));
}

function assertSameKeys(answer: string, shown: string): void {
  const keys = (text: string) => (JSON.parse(text) as object[]).map((row) => Object.keys(row));
  assert.deepEqual(keys(answer), keys(shown));
}
