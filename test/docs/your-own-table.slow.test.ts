import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { at, get, testDynamoDb, until } from '../app/world.js';
import { TEST_AWS } from '../support/aws.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { readPage } from './markdown.js';

/** The commands of docs/your-own-table.md, run one after the other in one folder. */

interface Command {
  readonly line: string;
  readonly shown: readonly string[];
}

const commands: readonly Command[] = readPage('docs/your-own-table.md')
  .blocks.filter(({ language }) => language === 'console')
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((example) => {
    const [line = '', ...shown] = example.trimEnd().split('\n');
    return { line, shown };
  });

/** A command's words, as a shell passes them on. */
const wordsOf = (line: string) =>
  Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare!);

/** `npx dynamo-csv …` in that folder. Resolves to what it prints: all, or up to the address of the page. */
async function runs(t: TestContext, line: string, cwd: string, endpoint: string) {
  const [npx, name, ...args] = wordsOf(line);
  assert.deepEqual([npx, name], ['npx', 'dynamo-csv']);
  const program = join(projectRoot, 'dist', 'src', 'bin.js');
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], {
    cwd,
    env: { PATH: process.env.PATH, PORT: '0', ...TEST_AWS, ...at(endpoint) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  const all = (async () => {
    for await (const text of child.stdout.setEncoding('utf8')) {
      printed += text;
      if (/^Page +\S+$/m.test(printed)) return;
    }
  })();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  await all;
  return {
    printed: `${printed}${errors}`,
    url: /^Page +(http:\S+)\/$/m.exec(printed)?.[1] ?? null,
    async end() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Columns are as wide as their cells; a table has a name of its own in each row. */
const squeezed = (text: string) => text.replaceAll(/ +/g, ' ');

test('every command of the page does what it shows', async (t) => {
  const endings: (() => Promise<void>)[] = [];
  // Before the folder is removed.
  t.after(async () => {
    for (const end of endings) await end();
  });
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'N' }, 'orders');
  await database.createTable({ id: 'N' }, 'orders-backup');
  await database.put(table, [
    { id: { N: '1' }, customer: { S: 'Ada' }, total: { N: '12.5' } },
    { id: { N: '2' }, customer: { S: 'Grace' }, total: { N: '30' } },
    { id: { N: '3' }, customer: { S: 'Ada' }, total: { N: '7' } },
  ]);
  const folder = await temporaryFolder(t);
  assert.ok(commands.length >= 10, `${commands.length} commands were found`);
  let running: { readonly url: string; end(): Promise<void> } | null = null;
  for (const { line, shown } of commands) {
    await t.test(line, async () => {
      if (line.startsWith('curl ')) {
        const path = wordsOf(line)[1]!.replace('localhost:8080', '');
        assert.ok(running !== null, 'the service runs');
        await until(running.url, '/csv/orders', ({ status }) => status === 200);
        assert.equal((await get(running.url, path)).text.trimEnd(), shown.join('\n'));
        return;
      }
      // Two services cannot have one data folder.
      if (!/--(check|init)/.test(line)) await running?.end();
      const started = await runs(t, line, folder, database.endpoint);
      for (const part of shown)
        assert.ok(squeezed(started.printed).includes(squeezed(part)), `${part} is not in ${started.printed}`);
      assert.doesNotMatch(started.printed, /orders-backup/);
      if (started.url === null) return;
      running = { url: started.url, end: started.end };
      endings.push(started.end);
    });
  }
});
