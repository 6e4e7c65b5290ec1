import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { projectRoot, version } from '../../src/base/project.js';
import { readCommandLine } from '../../src/commands/arguments.js';
import { COMMANDS } from '../../src/commands/commands.js';
import { EnvironmentSchema } from '../../src/config/environment.js';
import { ConfigurationSchema } from '../../src/config/schema.js';
import { readDemoArguments } from '../../src/demo/arguments.js';
import { pollsPerMonth } from '../../src/sources/billing.js';
import { readPrice, scanUnits } from '../../src/sources/dynamodb/cost.js';
import { TableOptions } from '../../src/sources/dynamodb/options.js';
import { metricPrice } from '../../src/sources/ec2/cost.js';
import { InstancesOptions } from '../../src/sources/ec2/options.js';
import { load } from '../config/load.js';
import { commandsOf, readPage, withoutComments } from './markdown.js';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

const readme = readPage('README.md');
const korean = readPage('README.ko.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
/** README.md and the pages that it links. */
const documentation = [
  readme.text,
  ...readme.links.filter((link) => /^docs\/\w+\.md/.test(link)).map((link) => read(link.split('#')[0]!)),
].join('\n');

describe('README.ko.md has what README.md has', () => {
  test('headings', () => {
    const levels = ({ headings }: typeof readme) => headings.map(({ level }) => level);
    assert.deepEqual(levels(korean), levels(readme));
  });

  test('blocks of code, but for the comments in them', () => {
    const blocks = ({ blocks }: typeof readme) =>
      blocks.map(({ language, text }) => [language, withoutComments(text)]);
    assert.deepEqual(blocks(korean), blocks(readme));
  });

  test('links and pictures', () => {
    // The order of words is another one in Korean.
    assert.deepEqual(others(korean.links, 'README.md'), others(readme.links, 'README.ko.md'));
    assert.deepEqual(korean.images, readme.images);
  });

  test('names of options, variables, files and commands', () => {
    const names = ({ codeSpans }: typeof readme) =>
      [...new Set(codeSpans.map((code) => code.replaceAll(/<[^>]+>/g, '<>')))].sort();
    assert.deepEqual(names(korean), names(readme));
  });
});

/** All links but the one to the same page in the other language, which must be there. */
function others(links: readonly string[], translation: string): string[] {
  assert.ok(links.includes(translation), `there is no link to ${translation}`);
  return links.filter((link) => link !== translation).sort();
}

describe('nothing is missing', () => {
  test('each npm script is in README.md', () => {
    for (const name of Object.keys(scripts)) {
      if (scripts[name.replace(/^(pre|post)/, '')] !== undefined && /^(pre|post)/.test(name)) continue;
      const command = ['start', 'test', 'pack'].includes(name.replace(/^pre/, ''))
        ? `npm ${name.replace(/^pre/, '')}`
        : `npm run ${name}`;
      assert.ok(readme.codeSpans.includes(command), command);
    }
  });

  test('each option of the configuration and each variable of the service is in README.md', () => {
    const named = [ConfigurationSchema, TableOptions, EnvironmentSchema].flatMap((schema) =>
      Object.keys(schema.properties),
    );
    for (const name of named) assert.ok(readme.codeSpans.includes(name), name);
  });

  test('each option of the instances, variable of Compose and of .env.example is documented', () => {
    const compose = withoutComments(read('docker-compose.yml') + read('docker-compose.demo.yml'));
    const variables = [
      ...[...compose.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name!),
      ...[...read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name!),
      ...Object.keys(InstancesOptions.properties),
    ];
    assert.ok(variables.length > 30, `${variables.length} variables were found`);
    for (const name of variables) {
      if (name !== 'HOME') assert.ok(documentation.includes(`\`${name}\``), name);
    }
  });
});

describe('what README.md says is so', () => {
  test('its commands are there', () => {
    const commands = readme.blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
    assert.ok(commands.length > 10, `${commands.length} commands were found`);
    for (const line of commands) for (const command of line.split(' && ')) assertExists(command);
    for (const code of readme.codeSpans.filter((code) => code.includes('npm '))) assertExists(code);
  });

  test('the configuration of three lines is complete', async () => {
    const [block, ...more] = readme.blocks.filter(({ language }) => language === 'yaml');
    assert.equal(more.length, 0);
    assert.equal(block!.text.trimEnd().split('\n').length, 3);
    const { tables } = await load(block!.text);
    assert.deepEqual(
      tables.map(({ table, changes }) => [table, changes]),
      [['my-table', true]],
    );
  });

  test('the picture is the one of docs/architecture.md', () => {
    const picture = readme.blocks.find(({ text }) => text.includes('─►'));
    assert.ok(read('docs/architecture.md').includes(picture!.text));
  });

  test('what it costs', () => {
    const { text } = readme.blocks.find(({ text }) => text.startsWith('dataset '))!;
    const units = Number(/^together +([\d,]+)/m.exec(text)![1]!.replaceAll(',', ''));
    const dollars = (interval: number) =>
      readPrice(scanUnits(2 ** 30, { consistent: false }) * pollsPerMonth(interval), 'us-east-1');
    const cost = readme.text.split(/^## /m).find((section) => section.startsWith('Cost\n'))!;
    const said = [...cost.matchAll(/USD ([\d,.]*\d)/g)].map(([, number]) => Number(number!.replace(',', '')));
    assert.deepEqual(said, [
      Number(readPrice(units, 'us-east-1').toFixed(2)),
      Number(metricPrice(3 * pollsPerMonth(60_000)).toFixed(2)),
      Math.round(dollars(30_000) / 100) * 100,
      Math.round(dollars(3_600_000)),
    ]);
  });

  test('the changelog has this version, in the form of Keep a Changelog', () => {
    const [title, ...headings] = readPage('CHANGELOG.md').headings;
    assert.deepEqual(title, { level: 1, text: 'Changelog', anchor: 'changelog' });
    const kinds = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
    for (const { level, text } of headings) {
      if (level === 2) assert.match(text, /^(\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d)$/);
      else assert.ok(level === 3 && kinds.includes(text), text);
    }
    const latest = headings.find(({ text }) => /^\[\d/.test(text))!;
    assert.ok(latest.text.startsWith(`[${version}] `), `${latest.text} is not ${version}`);
  });
});

/** That a command could be run: its script, its files and its arguments are there. */
function assertExists(line: string): void {
  const [command = '', ...args] = line
    .replace(/^(?:[A-Z_]+=\S+ )+/, '')
    .split(/\s+/)
    .filter((word) => word !== '-s');
  const files: string[] = [];
  if (command === 'npm') {
    const script = args[0] === 'run' ? args[1]! : args[0]!;
    assert.ok(['ci', 'pack'].includes(script) || script in scripts, `${line}: there is no script ${script}`);
    const more = args.includes('--') ? args.slice(args.indexOf('--') + 1) : [];
    if (script === 'demo') readDemoArguments(more);
    else assert.deepEqual(more, script === 'start' && more.length > 0 ? ['--check'] : [], line);
  } else if (command === 'npx') {
    assert.equal(args[0], 'dynamo-csv', line);
    const [name, ...more] = args.slice(1);
    if (COMMANDS.every((one) => one.name !== name)) readCommandLine(args.slice(1));
    else assert.deepEqual(more, [], line);
  } else if (command === 'docker' && args[0] === 'run') {
    readCommandLine(args.slice(args.indexOf('dynamo-csv') + 1));
  } else if (command === 'docker') {
    assert.equal(args[0], 'compose', line);
    files.push(...args.filter((_, index) => args[index - 1] === '-f'));
  } else if (command === 'cp') {
    files.push(args[0]!);
  } else if (command === 'node') {
    assert.equal(args[0], '--test', line);
    files.push(dirname(args[1]!));
  } else {
    assert.fail(`this test does not know how to look at: ${line}`);
  }
  for (const file of files) assert.ok(existsSync(join(projectRoot, file)), `${line}: there is no ${file}`);
}
