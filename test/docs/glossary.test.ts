import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';

/** Texts that people read: plain English, and one word for one thing (docs/architecture.md has the glossary). */

/** What must not come back, and what to write. */
const PHRASES: readonly (readonly [wrong: RegExp, write: string])[] = [
  // One word, one meaning: a log is a dataset, and what the process prints is the service log.
  [/\b(the log|the logs) (says?|said|tells?|told|names?)\b/, '"is logged", or "the service log"'],
  [/\b(said|told|says so|says it) (so )?in the log\b/, '"is logged"'],
  [/\bSQL from outside\b|\bforeign SQL\b/i, '"ad-hoc SQL"'],
  [/\b[Ll]anes?\b/, '"Semaphore", "worker"'],
  [/\b(class|new|extends) Turns\b|\b(its|their|a) turns?\b(?! (into|signal|out|of))/, '"queue", "yield"'],
  [/\btellOfGap\b|\bsayWhatIsLarge\b|\breadNarrowed\b/, 'the function is called otherwise now'],
  // Phrases that sound translated.
  [/\bgoes before\b/, '"overrides", "takes precedence over"'],
  [/\blooking needs\b/, '"viewing needs"'],
  [/\bis no (length of time|number|time|port|duration|address|folder|zone|day|days)\b/, '"is not a …"'],
  [/\bis nothing that\b/, '"unknown …"'],
  [/\bcredentials, permission or existence\b/, '"missing or inaccessible"'],
  [/\bInstead of it\b/, '"Alternatives"'],
  [/\bWhere what is\b/, '"Code layout"'],
  [/\bthat nobody knows\b/, '"unrecorded", "unknown"'],
  [/\bthat is there (whole|in part)\b/, '"complete", "partial"'],
  [/\btold a second time\b/, '"second signal"'],
  [/\bthat are no rows\b/, '"malformed lines"'],
  [/\bcuts? off what\b/, '"truncates"'],
  [/\bleft half-written\b/, '"partial files"'],
  [/\bstands? (above|below|beside|behind|there|here)\b/, '"is next to", "follows", "see …"'],
  [/\bis true to\b(?! the tree)/, '"matches"'],
  [/\bwith grace\b/, '"gracefully"'],
  [/\b(lets|letting) go of\b/, '"releases"'],
  [/\bgives? way\b/, '"yields"'],
  [/\b(hears|hear|heard) of\b/, '"is notified of"'],
  [/\btells? of\b|\btold of\b/, '"reports", "describes"'],
  [/\bis told (in|with|by|apart|at)\b|\bare told (in|with|by|at once)\b/, '"is reported"'],
  [/\bthe ones? that goes? wrong\b|\bwhat is wrong is\b/i, '"errors are"'],
  [/\bas it goes\b|\bas well as it goes\b/, 'the plain word'],
  [/\bdoes without\b/, '"does not use", "works without"'],
  [/\bin vain\b/, '"without success"'],
  [/\bthe more so\b|\ball the same\b/, '"anyway", "still"'],
];

const ROOTS = ['src', 'dashboards', 'docs', 'config/views', 'bench', 'scripts'];
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', '.env.example', 'docker-compose.yml'];

const paths = [
  ...PAGES,
  'docker-compose.demo.yml',
  ...ROOTS.flatMap((root) =>
    readdirSync(join(projectRoot, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|mjs|md|sql|html)$/.test(path) && !/words\/ko\.ts$/.test(path))
      .map((path) => `${root}/${path}`),
  ),
].sort();

interface Hit {
  readonly path: string;
  readonly line: number;
  readonly text: string;
  readonly write: string;
}

const hits = paths.flatMap((path): Hit[] => {
  const lines = readFileSync(join(projectRoot, path), 'utf8').split('\n');
  return lines.flatMap((text, index) =>
    PHRASES.flatMap(([wrong, write]) =>
      wrong.test(text) ? [{ path, line: index + 1, text: text.trim(), write }] : [],
    ),
  );
});

test('no text that people read has a phrase that was replaced', () => {
  assert.ok(paths.length > 200, `${paths.length} files were read`);
  assert.deepEqual(
    hits.map(({ path, line, text, write }) => `${path}:${line}: write ${write}: ${text}`),
    [],
  );
});

test('each phrase finds what it is meant for', () => {
  const wrong = [
    'left out, and the log says so',
    'SQL from outside waits',
    'class Lanes {',
    'DATA_DIR goes before',
    '"x" is no number',
    'the row stands behind it',
    'what is told in one line',
  ];
  for (const text of wrong)
    assert.ok(
      PHRASES.some(([pattern]) => pattern.test(text)),
      text,
    );
  const right = ['a row of the log', 'the service log names the file', 'turns into text', 'is not a number'];
  for (const text of right) assert.ok(!PHRASES.some(([pattern]) => pattern.test(text)), text);
});
