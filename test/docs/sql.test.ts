import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { DynamoCsvError } from '../../src/base/errors.js';
import { projectRoot } from '../../src/base/project.js';
import { openLookups } from '../../src/datasets/lookups.js';
import { readViewHead } from '../../src/sql/view-file.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** docs/sql.md says what happens: its SQL is run, its answers are compared, its lists are complete. */

const root = (...path: string[]) => readFile(join(projectRoot, ...path), 'utf8');
const page = await root('docs', 'sql.md');

interface Example {
  readonly sql: string;
  /** The view's name, where the text before the block names its file. */
  readonly view: string | null;
  readonly line: number;
  /** `csv`: the whole answer; `text`: the line of the error. */
  readonly kind: string;
  readonly shown: string;
}

interface Block {
  readonly kind: string;
  readonly text: string;
  readonly before: string;
  readonly line: number;
}

const blocks: Block[] = [];
let behind = 0;
for (const match of page.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
  const before = page.slice(behind, match.index);
  const line = page.slice(0, match.index).split('\n').length;
  blocks.push({ kind: match[1]!, text: match[2]!, before, line });
  behind = match.index + match[0].length;
}

const examples: Example[] = blocks.flatMap(({ kind, text, before, line }, index) => {
  if (kind !== 'sql') return [];
  const view = [...before.matchAll(/`config\/views\/([\w.-]+)\.sql`/g)].at(-1)?.[1] ?? null;
  const answer = blocks[index + 1];
  return [{ sql: text, view, line, kind: answer?.kind ?? '', shown: answer?.text ?? '' }];
});

/** The small world that the page begins with. */
async function worldOfThePage(t: TestContext): Promise<SqlWorld> {
  const world = await SqlWorld.start(t, { now: Date.parse('2026-11-24T15:30:00Z') });
  const flags = await world.table('flag-dynamodb', { changes: true });
  for (const [at, dispatches, pickups] of [
    ['2026-11-23T15:00:00Z', '40', '31'],
    ['2026-11-24T04:59:40Z', '60', '50'],
    ['2026-11-24T05:00:10Z', '61', '50'],
    ['2026-11-24T08:00:10Z', '0', '0'],
    ['2026-11-24T15:29:40Z', '12', '9'],
  ] as const) {
    const rows = [
      ['dispatch', dispatches],
      ['pickup', pickups],
    ];
    await flags.record(readingOf({ counter_type: 'string', count: 'number' }, rows), Date.parse(at));
  }
  const heading = await world.table('zone-count-dynamodb');
  const taxis = [
    ['132', '5'],
    ['161', '12'],
  ];
  await heading.record(readingOf({ zone_id: 'number', count: 'number' }, taxis), world.time.at);
  await openLookups({
    dir: join(projectRoot, 'config', 'lookups'),
    shown: 'config/lookups',
    registry: world.registry,
    clock: world.time,
    logger: pino({ level: 'silent' }),
  });
  const folder = join(await temporaryFolder(t), 'views');
  await mkdir(folder);
  for (const { view, sql } of examples) if (view !== null) await writeFile(join(folder, `${view}.sql`), sql);
  await world.sql.openViews(folder, 'config/views');
  return world;
}

async function answerTo(world: SqlWorld, { sql, view }: Example): Promise<string> {
  try {
    if (view === null) return await world.ask(sql);
    return (await world.dataset(view).content()).bytes.toString();
  } catch (error) {
    if (error instanceof DynamoCsvError) return `${error.line}\n`;
    throw error;
  }
}

test('every SQL block of docs/sql.md returns what the next block shows', async (t) => {
  assert.ok(examples.length > 15, `${examples.length} examples were found`);
  assert.deepEqual(
    examples.flatMap(({ view }) => view ?? []),
    ['heading', 'broken', 'misspelt', 'rides'],
  );
  const world = await worldOfThePage(t);
  const answers: string[] = [];
  for (const example of examples) answers.push(`line ${example.line}\n${await answerTo(world, example)}`);
  assert.deepEqual(
    answers,
    examples.map(({ line, kind, shown }) => {
      assert.match(kind, /^(csv|text)$/, `line ${line}: no answer stands behind it`);
      return `line ${line}\n${shown}`;
    }),
  );
});

test('the data that docs/sql.md begins with is what its examples are run on', async (t) => {
  const world = await worldOfThePage(t);
  const file = await readFile(join(world.dataDir, 'flag-dynamodb-changes.csv'), 'utf8');
  assert.equal(blocks[0]!.text, file);
});

test('docs/sql.md has every macro, with an example of it', async () => {
  const macros = (await root('src', 'sql', 'macros.sql')).matchAll(/^CREATE MACRO (\w+\(.*?\))/gm);
  const sections = page.split(/^### /m);
  for (const signature of ['service_now()', ...Array.from(macros, ([, signature]) => signature!)]) {
    const section = sections.find((text) => text.startsWith(`\`${signature}\`\n`));
    assert.ok(section !== undefined, `docs/sql.md has no heading ### \`${signature}\``);
    const name = signature.slice(0, signature.indexOf('('));
    assert.match(section, new RegExp(`\`\`\`sql\\n[^\`]*\\b${name}\\(`), `${name} has no example`);
  }
});

test("docs/sql.md lists the fleet's views, each with its keys and the first sentence of its description", async () => {
  const files = (await readdir(join(projectRoot, 'config', 'views'))).sort();
  const rows = await Promise.all(
    files.map(async (file) => {
      const { description, keys } = readViewHead(await root('config', 'views', file));
      const [sentence] = /^.*?\.(?= |$)/.exec(description ?? '') ?? [`${file} has no description`];
      const each = keys.map((key) => `\`${key}\``).join(', ') || 'one row';
      return `| [\`${basename(file, '.sql')}\`](../config/views/${file}) | ${sentence} | ${each} |`;
    }),
  );
  const section = page.split(/^## /m).find((text) => text.startsWith("The fleet's views\n"));
  const listed = section?.split('\n').filter((line) => line.startsWith('| [')) ?? [];
  assert.deepEqual(listed, rows);
});
