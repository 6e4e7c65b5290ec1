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
  [/\bLanes\b|\blanes?\b/, '"semaphore", "at a time"'],
  [/\bTurns\b|\b(its|their|a) turns?\b(?! (into|signal|out))/, '"queue", "yield"'],
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

/**
 * Hits that are still to be rewritten, at most so many in a file. The list may only become shorter.
 */
const REMAINING: Readonly<Record<string, number>> = {
  'config/views/rides-course.sql': 1,
  'dashboards/datasets.ts': 1,
  'dashboards/flavour-csv.ts': 1,
  'docker-compose.yml': 1,
  'docs/configuration.md': 2,
  'docs/grafana.md': 2,
  'docs/volume.md': 2,
  'docs/windows.md': 3,
  'src/app.ts': 1,
  'src/check.ts': 1,
  'src/collect/trouble.ts': 2,
  'src/config/yaml-file.ts': 1,
  'src/datasets/lookups.ts': 1,
  'src/http/answers/computation.ts': 1,
  'src/http/answers/representation.ts': 1,
  'src/options/check.ts': 1,
  'src/options/kinds.ts': 1,
  'src/recorder/changes-of-log.ts': 1,
  'src/recorder/clock-watch.ts': 1,
  'src/recorder/make-way.ts': 2,
  'src/recorder/open-table.ts': 4,
  'src/recorder/table-recorder.ts': 2,
  'src/sources/dynamodb/scan.ts': 4,
  'src/sources/ec2/instances.ts': 1,
  'src/sources/kind.ts': 1,
  'src/sql/engine.ts': 3,
  'src/sql/loading.ts': 1,
  'src/sql/read-lines.ts': 1,
  'src/sql/session.ts': 6,
  'src/sql/sql-queries.ts': 1,
  'src/sql/sql.ts': 2,
  'src/sql/view-dataset.ts': 1,
  'src/sql/views.ts': 1,
  'src/takeover/python-file.ts': 1,
  'src/takeover/python-time.ts': 1,
  'src/takeover/takeover.ts': 3,
  'src/volume/append-file.ts': 2,
  'src/volume/lock.ts': 1,
  'src/volume/volume.ts': 1,
  'src/web/browser/address.ts': 1,
  'src/web/browser/words/en.ts': 1,
  'src/windows/direct/decode-line.ts': 1,
  'src/windows/parse-filter.ts': 1,
  'src/windows/parse-window.ts': 3,
};

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
  const found = new Map<string, Hit[]>();
  for (const hit of hits) found.set(hit.path, [...(found.get(hit.path) ?? []), hit]);
  const tooMany = [...found].filter(([path, list]) => list.length > (REMAINING[path] ?? 0));
  assert.deepEqual(
    tooMany.flatMap(([, list]) =>
      list.map(({ path, line, text, write }) => `${path}:${line}: write ${write}: ${text}`),
    ),
    [],
  );
});

test('each phrase finds what it is meant for', () => {
  const wrong = [
    'left out, and the log says so',
    'waits in one of two lanes',
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
