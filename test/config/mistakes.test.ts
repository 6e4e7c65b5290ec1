import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/config.js';
import { ConfigMistakes } from '../../src/config/mistakes.js';
import { mistakesOf, withFile } from './load.js';

/** Text of a file → the one line that it is refused with. */
const ONE_MISTAKE: readonly (readonly [string, string])[] = [
  // the text itself
  ['', 'FILE: the file is empty; the least is one line, tables: { my-table: {} }'],
  ['# nothing but this\n', 'FILE: the file is empty; the least is one line, tables: { my-table: {} }'],
  [
    'tables: { my-table: {}',
    'FILE: line 1, column 23: flow map in block collection must be sufficiently indented and end with a }; correct the YAML there',
  ],
  ['tables:\n\tmy-table:\n', 'FILE: line 2, column 1: the line is indented by a tab; indent by spaces'],
  [
    'tables:\n  my-table:\n    log: true\n    log: false\n',
    'FILE: line 4, column 5: log is there twice; keep one',
  ],
  [
    'tables:\n  my-table:\n  other: # this too\n  my-table:\n',
    'FILE: line 4, column 3: my-table is there twice; keep one',
  ],
  [
    'tables:\n  my-table: &a {}\n  same: *a\n  other: *b\n',
    'FILE: line 4, column 10: *b is an alias without a &b before it; write the value out, or correct the name',
  ],
  [
    'tables: { my-table: {} }\n---\nx: 1\n',
    'FILE: line 2, column 1: a second document begins here; keep one, without ---',
  ],
  [
    'just words',
    'FILE: "just words" is not a set of options; write options as name: value, or {} for none (line 1)',
  ],
  // tables
  ['timeZone: UTC', 'FILE: tables: no table is named; name one, such as tables: { my-table: {} } (line 1)'],
  ['tables:', 'FILE: tables: no table is named; name one, such as tables: { my-table: {} } (line 1)'],
  [
    'tables: [my-table]',
    'FILE: tables: ["my-table"] is not a list of named entries; write each as a key, such as my-table: {} (line 1)',
  ],
  [
    'tables: { arn:aws:dynamodb:eu-west-1:1:table/orders: {} }',
    'FILE: tables["arn:aws:dynamodb:eu-west-1:1:table/orders"]: "arn:aws:dynamodb:eu-west-1:1:table/orders" is not a DynamoDB table\'s name; write it as orders with region: eu-west-1 (line 1)',
  ],
  // athena
  [
    'tables: { abc: {} }\nathena: { database: Fleet }',
    'FILE: athena.database: "Fleet" is not the name of a database; write lower-case letters, digits or "_" (line 2)',
  ],
  [
    'tables: { abc: {} }\nathena: { database: fleet, output: my-bucket/athena/ }',
    'FILE: athena.output: "my-bucket/athena/" is not a place in S3; write it as s3://my-bucket/athena/ (line 2)',
  ],
  [
    'tables: { abc: {} }\narchive: { bucket: b-1 }\nathena: { database: fleet, catalog: hive }',
    'FILE: athena.catalog: "hive" is not a catalogue; write it as glue (line 3)',
  ],
  [
    'tables: { abc: {} }\nathena: { database: fleet, catalog: glue }',
    'FILE: athena.catalog: there is no archive whose tables Glue could have; add one, such as archive: { bucket: my-bucket }, or remove this line (line 2)',
  ],
  // types and paths
  [
    'tables: { my-table: { types: { price: nubmer } } }',
    'FILE: tables.my-table.types.price: "nubmer" is not a type of a column; write it as number (line 1)',
  ],
  [
    'tables: { my-table: { types: { price: VARCHAR } } }',
    'FILE: tables.my-table.types.price: "VARCHAR" is not a type of a column; write it as string (line 1)',
  ],
  [
    'tables: { my-table: { types: { at: date } } }',
    'FILE: tables.my-table.types.at: "date" is not a type of a column; write number, string or boolean (line 1)',
  ],
  [
    'tables: { my-table: { types: number } }',
    'FILE: tables.my-table.types: "number" is not a list of named entries; write entries as name: value (line 1)',
  ],
  [
    'tables: { my-table: { types: { a: number, b: string }, rename: { a: b } } }',
    'FILE: tables.my-table.types.b: "a" is the same column; remove it here (line 1)',
  ],
  [
    'tables: { my-table: { flatten: true } }',
    'FILE: tables.my-table.flatten: there is no such option; did you mean expand? (line 1)',
  ],
  [
    'tables: { my-table: { columns: [a.b, "a.b"] } }',
    'FILE: tables.my-table.columns[1]: "a.b" is there twice; keep one (line 1)',
  ],
  [
    'tables: { my-table: { columns: [city, address.city], rename: { address.city: city } } }',
    'FILE: tables.my-table.columns[1]: "address.city" and "city" are the same column; keep one (line 1)',
  ],
  [
    'tables: { my-table: { columns: [tags[x]] } }',
    'FILE: line 1, column 37: missing , or : between flow sequence items; correct the YAML there',
  ],
  [
    'instances: { ids: [i-12345678], types: { cpu: number } }',
    'FILE: instances.types: there is no such option; the options here are ids, tags, regions, interval, as, keep, retention (line 1)',
  ],
  // parts of tables
  [
    "tables: { orders: { query: { key: { day: '{tody}' } } } }",
    'FILE: tables.orders.query.key.day: {tody} is not a date; write {today}, {yesterday}, {today-6}, {today-6..today} or {today:yyyyMMdd} (line 1)',
  ],
  [
    "tables: { orders: { query: { key: { day: ['{today..today-6}'] } } } }",
    'FILE: tables.orders.query.key.day[0]: "{today..today-6}" ends before it begins; write the earlier day first (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { store: 12345678901234567890 } } } }',
    'FILE: tables.orders.query.key.store: 12345678901234567000 lost digits: YAML reads it as a number; write it in quotes (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { store: true } } } }',
    'FILE: tables.orders.query.key.store: true is not the value of a key; write text or a number; several as a list, [1, 2]; of a sort key also { from: …, to: … } or { beginsWith: … } (line 1)',
  ],
  [
    "tables: { orders: { query: { key: { id: 1, at: { from: '{today-6..today}' } } } } }",
    'FILE: tables.orders.query.key.at.from: "{today-6..today}" is several days; write one day as a bound (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1, at: { after: 3 } } } } }',
    'FILE: tables.orders.query.key.at.after: there is no such option; the options here are from, to, beginsWith (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1, at: {} } } } }',
    'FILE: tables.orders.query.key.at: the range has no bound; write from, to or beginsWith (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1, at: { beginsWith: a, to: b } } } } }',
    'FILE: tables.orders.query.key.at: beginsWith stands alone; write either beginsWith, or from and to (line 1)',
  ],
  [
    'tables: { orders: { query: { index: by-day } } }',
    "FILE: tables.orders.query.key: it has no key to read; give the partition key a value, such as key: { day: '{today}' } (line 1)",
  ],
  [
    "tables: { orders: { query: { key: { day: '{today-999..today}', store: [1, 2] } } } }",
    'FILE: tables.orders.query.key: it means 2,000 Queries in each poll, more than 1,000; list fewer values, or scan an index instead (line 1)',
  ],
  [
    'tables: { orders: { index: by-day, query: { key: { id: 1 } } } }',
    'FILE: tables.orders.index: it scans an index, and query reads by key; write it as query.index to query the index, or remove query (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1 } }, segments: 4 } }',
    'FILE: tables.orders.segments: it has no effect on a query; remove it (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1 }, overlap: 5m } } }',
    'FILE: tables.orders.query.overlap: it has no effect without since; name the sort key by since, or remove this (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1, at: 2 }, since: at } } }',
    'FILE: tables.orders.query.since: key has values for "at" already, so it does not grow; remove it from key, or remove since (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1 }, since: at }, changes: true } }',
    'FILE: tables.orders.changes: since reads new items only, so there is nothing to compare; remove it, or remove since (line 1)',
  ],
  [
    'tables: { orders: { query: { key: { id: 1 }, since: at }, log: false } }',
    'FILE: tables.orders.log: since appends new items to a log; remove this, or remove since (line 1)',
  ],
  [
    "tables: { orders: { filter: { expression: '#s = :open', names: { '#s': status } } } }",
    'FILE: tables.orders.filter.expression: :open is not in values; add it there (line 1)',
  ],
  [
    "tables: { orders: { filter: { expression: 'a = :open', values: { ':open': 1, ':other': 2 } } } }",
    'FILE: tables.orders.filter.values[":other"]: the expression does not use it, which DynamoDB refuses; remove it (line 1)',
  ],
  [
    "tables: { orders: { filter: { expression: 'a = :b', values: { ':b': { Q: 1 } } } } }",
    `FILE: tables.orders.filter.values[":b"]: {"Q":1} is not a value in DynamoDB's JSON; write one type and its value, such as { N: "10" } or { L: [{ S: a }] } (line 1)`,
  ],
  [
    "tables: { orders: { filter: { expression: 'a = :b', values: { ':b': 12345678901234567890 } } } }",
    `FILE: tables.orders.filter.values[":b"]: 12345678901234567000 lost digits: YAML reads it as a number; write it in quotes, as DynamoDB's JSON: { N: "…" } (line 1)`,
  ],
  [
    'tables: { orders: { index: by/day } }',
    'FILE: tables.orders.index: "by/day" is not an index\'s name; write 3 to 255 letters, digits, "_", "-" or "." (line 1)',
  ],
  // other accounts
  [
    'tables: { orders: { role: reader } }',
    'FILE: tables.orders.role: "reader" is not the ARN of an IAM role; write one such as arn:aws:iam::123456789012:role/reader (line 1)',
  ],
  [
    'tables: { orders: { externalId: abc } }',
    'FILE: tables.orders.externalId: it has no effect without role; name the role to assume, or remove this (line 1)',
  ],
  [
    'tables: { orders: { endpoint: localhost:8000 } }',
    'FILE: tables.orders.endpoint: "localhost:8000" is not the address of an endpoint; write it as http://localhost:8000 (line 1)',
  ],
  [
    'tables: { orders: { table: arn:aws:dynamodb:eu-west-1:123456789012:table/orders, region: us-east-1 } }',
    'FILE: tables.orders.region: the ARN of the table says eu-west-1; remove this, or correct the ARN (line 1)',
  ],
  [
    'tables: { orders: { table: arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/by-day } }',
    'FILE: tables.orders.table: "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/by-day" is not a DynamoDB table\'s name; write it as arn:aws:dynamodb:eu-west-1:123456789012:table/orders (line 1)',
  ],
  // keys
  [
    'tables: { my-table: {} }\ntimezone: UTC',
    'FILE: timezone: there is no such option; did you mean timeZone? (line 2)',
  ],
  [
    'tables:\n  my-table:\n    intervall: 5s',
    'FILE: tables.my-table.intervall: there is no such option; did you mean interval? (line 3)',
  ],
  [
    'tables: { my-table: { name: x } }',
    'FILE: tables.my-table.name: there is no such option; did you mean as? (line 1)',
  ],
  [
    'tables: { my-table: {} }\nport: 80',
    'FILE: port: there is no such option; set it as environment variable PORT (line 2)',
  ],
  // values
  [
    'tables:\n  my-table:\n    interval: 30 sec',
    'FILE: tables.my-table.interval: "30 sec" is not a duration; write it as 30s (line 3)',
  ],
  [
    'tables: { my-table: { interval: 30 } }',
    'FILE: tables.my-table.interval: 30 is not a duration; write it as 30s (line 1)',
  ],
  [
    'tables: { my-table: { interval: 1.5 minutes } }',
    'FILE: tables.my-table.interval: "1.5 minutes" is not a duration; write it as 90s (line 1)',
  ],
  [
    'tables: { my-table: { interval: 5ms } }',
    'FILE: tables.my-table.interval: "5ms" is too short; write 100ms or more (line 1)',
  ],
  [
    'tables: { my-table: { interval: 52w } }',
    'FILE: tables.my-table.interval: "52w" is too long; write 1w or less (line 1)',
  ],
  [
    'tables: { my-table: { interval: often } }',
    'FILE: tables.my-table.interval: "often" is not a duration; write a whole number and its unit, such as 500ms, 30s, 5m, 2h or 1d (line 1)',
  ],
  [
    'tables: { my-table: { log: yes } }',
    'FILE: tables.my-table.log: "yes" is not true, false or append; write it as true (line 1)',
  ],
  [
    'tables: { my-table: { log: appended, time: at } }',
    'FILE: tables.my-table.log: "appended" is not true, false or append; write it as append (line 1)',
  ],
  [
    'tables: { my-table: { log: append } }',
    'FILE: tables.my-table.log: append files new items by their own time, and no attribute is named that has it; add time with the name of that attribute, such as time: created_at (line 1)',
  ],
  [
    'tables: { my-table: { time: { attribute: ts, unit: seconds } } }',
    'FILE: tables.my-table.time.unit: "seconds" is not a unit of times; write it as s (line 1)',
  ],
  [
    'tables: { my-table: { time: { attribut: ts } } }',
    'FILE: tables.my-table.time.attribut: there is no such option; did you mean attribute? (line 1)',
  ],
  [
    'tables: { my-table: { time: { unit: ms } } }',
    'FILE: tables.my-table.time: attribute is missing; add attribute (line 1)',
  ],
  [
    'tables: { my-table: { time: [ts] } }',
    'FILE: tables.my-table.time: ["ts"] is not an attribute\'s name; write the name of an attribute, such as created_at, or { attribute: ts, unit: ms } (line 1)',
  ],
  [
    'tables: { my-table: { timeColumn: ts } }',
    'FILE: tables.my-table.timeColumn: there is no such option; did you mean time? (line 1)',
  ],
  [
    'tables: { my-table: { time: at, log: true, timestampColumn: at } }',
    'FILE: tables.my-table.timestampColumn: "at" is one of the table\'s own columns; choose another name, such as polled_at (line 1)',
  ],
  [
    'tables: { my-table: { consistent: 0 } }',
    'FILE: tables.my-table.consistent: 0 is not true or false; write it as false (line 1)',
  ],
  [
    'tables: { my-table: { columns: count } }',
    'FILE: tables.my-table.columns: "count" is not a list; write it as [count] (line 1)',
  ],
  [
    'tables: { my-table: { columns: [a, 5] } }',
    'FILE: tables.my-table.columns[1]: 5 is not a column\'s name; write it as "5" (line 1)',
  ],
  [
    'tables: { my-table: { columns: [0404] } }',
    'FILE: tables.my-table.columns[0]: 0404 is not a column\'s name; write it as "0404" (line 1)',
  ],
  [
    'tables: { my-table: { only: [1e3] } }',
    'FILE: tables.my-table.only[0]: 1e3 is not a column\'s name; write it as "1e3" (line 1)',
  ],
  [
    'tables: { my-table: { rename: { a: 1.100 } } }',
    'FILE: tables.my-table.rename.a: 1.100 is not a column\'s name; write it as "1.100" (line 1)',
  ],
  [
    'tables: { my-table: { as: 1.10 } }',
    'FILE: tables.my-table.as: 1.10 is not a name that is safe in URLs and as a file; write it as "1.10" (line 1)',
  ],
  [
    'tables: { my-table: { columns: [a, b, a] } }',
    'FILE: tables.my-table.columns[2]: "a" is there twice; keep one (line 1)',
  ],
  [
    'tables: { my-table: { only: [] } }',
    'FILE: tables.my-table.only: the list is empty; name at least one, or leave the option out (line 1)',
  ],
  [
    'tables: { my-table: { only: true } }',
    'FILE: tables.my-table.only: true means exactly the attributes in columns, and there are none; list them in columns or here (line 1)',
  ],
  [
    'tables: { my-table: { region: us-east-1b } }',
    'FILE: tables.my-table.region: "us-east-1b" is not an AWS region; write it as us-east-1 (line 1)',
  ],
  [
    'tables: { my-table: { region: AP_Northeast2 } }',
    'FILE: tables.my-table.region: "AP_Northeast2" is not an AWS region; write it as ap-northeast-2 (line 1)',
  ],
  [
    'tables: { my-table: { segments: Auto } }',
    'FILE: tables.my-table.segments: "Auto" is not a number of segments; write it as auto (line 1)',
  ],
  [
    'tables: { my-table: { maxReadCapacity: 5 RCU } }',
    'FILE: tables.my-table.maxReadCapacity: "5 RCU" is not a number of read capacity units per second; write it as 5 (line 1)',
  ],
  [
    'tables: { my-table: { maxPollMegabytes: 4 GB } }',
    'FILE: tables.my-table.maxPollMegabytes: "4 GB" is not a number of megabytes; write it as 4000 (line 1)',
  ],
  [
    'tables: { my-table: { changes: true, keep: 1 year } }',
    'FILE: tables.my-table.keep: "1 year" is not a number of days; write it as 365 (line 1)',
  ],
  [
    'tables: { my-table: { interval: } }',
    'FILE: tables.my-table.interval: the value is empty; write a whole number and its unit, such as 500ms, 30s, 5m, 2h or 1d, or leave it out (line 1)',
  ],
  [
    'tables: { my-table: {} }\ntimeZone: New York',
    'FILE: timeZone: "New York" is not a time zone; did you mean America/New_York? (line 2)',
  ],
  [
    'tables: { my-table: {} }\ntimeZone: +09:00',
    'FILE: timeZone: "+09:00" is not a time zone; write a name of the IANA time zone database such as UTC or America/New_York (line 2)',
  ],
  // what options say together
  [
    'tables: { my-table: { keep: 3 } }',
    'FILE: tables.my-table.keep: it has no effect on a table without log: true or changes: true; add one of them or remove this (line 1)',
  ],
  [
    'tables: { my-table: { log: true, retention: 5 } }',
    'FILE: tables.my-table.retention: 5 days are fewer than the 7 that the CSV file keeps; write 7 or more, or lower keep (line 1)',
  ],
  [
    'tables: { my-table: { columns: [a, z], rename: { a: z } } }',
    'FILE: tables.my-table.columns[1]: "z" and "a" are the same column; keep one (line 1)',
  ],
  [
    'tables: { my-table: { rename: { a: z, b: z } } }',
    'FILE: tables.my-table.rename.b: "z" is what "a" is renamed to already; give each attribute its own column (line 1)',
  ],
  [
    'tables: { my-table: { columns: [a, b], only: [a] } }',
    'FILE: tables.my-table.columns[1]: only leaves "b" out; add it to only or, unless it is a key, remove it here (line 1)',
  ],
  [
    'tables: { my-table: { log: true, columns: [at], timestampColumn: at } }',
    'FILE: tables.my-table.timestampColumn: "at" is one of the table\'s own columns; choose another name, such as polled_at (line 1)',
  ],
  [
    'tables: { my-table: { changes: true, timestampColumn: since } }',
    'FILE: tables.my-table.timestampColumn: "since" is a column that changes have already; choose another name, such as polled_at (line 1)',
  ],
  // published names
  [
    'tables:\n  one: { as: zones }\n  two: { as: zones }',
    'FILE: tables.two.as: "zones" is the name of table one; publish it under another name by as (line 3)',
  ],
  [
    'tables:\n  Zones: {}\n  zones: {}',
    'FILE: tables.zones: "zones" differs only in case from "Zones", the name of table Zones; publish it under another name by as (line 3)',
  ],
  [
    'tables:\n  one: { changes: true }\n  one-changes: {}',
    'FILE: tables.one.changes: "one-changes", the changes of table one, is the name of table one-changes; publish it under another name by as (line 2)',
  ],
  [
    'tables: { api-server-log: {} }\ninstances: { ids: [i-12345678] }',
    'FILE: instances.as: "api-server-log", the log of instances, is the name of table api-server-log; publish it under another name by as (line 2)',
  ],
  [
    'tables: { collector: {} }',
    'FILE: tables.collector: "collector" is the name of the service\'s own dataset; publish it under another name by as (line 1)',
  ],
  [
    'tables: { collector-log: {} }',
    'FILE: tables.collector-log: "collector-log" is the name of the service\'s own log; publish it under another name by as (line 1)',
  ],
  [
    'tables: { my-table: {} }\ninstances: { ids: [i-12345678], as: Collector }',
    'FILE: instances.as: "Collector" differs only in case from "collector", the name of the service\'s own dataset; publish it under another name by as (line 2)',
  ],
  [
    'tables: { time-zone: { log: true } }',
    'FILE: tables.time-zone: "time-zone" is the name of a file of the service\'s own, in the folder of the sealed days; publish it under another name by as (line 1)',
  ],
  [
    'tables: { my-table: { as: ../etc/passwd } }',
    'FILE: tables.my-table.as: "../etc/passwd" is not a name that is safe in URLs and as a file; write it as etc-passwd (line 1)',
  ],
  [
    'tables: { my-table: { as: zones.csv } }',
    'FILE: tables.my-table.as: "zones.csv" carries a file\'s ending; write it as zones (line 1)',
  ],
  [
    'tables: { .hidden: {} }',
    'FILE: tables[".hidden"]: ".hidden" is not a name that is safe in URLs and as a file; publish it under another name by as (line 1)',
  ],
  [
    'tables: { orders.csv: {} }',
    'FILE: tables["orders.csv"]: "orders.csv" carries a file\'s ending; publish it under another name by as (line 1)',
  ],
  // instances
  [
    'instances: {}',
    'FILE: instances: no instance is named; name some by ids: [i-0123456789abcdef0] or by tags: { Role: dispatch-api } (line 1)',
  ],
  [
    'instances: { ids: [web-1] }',
    'FILE: instances.ids[0]: "web-1" is not an EC2 instance\'s id; write one such as i-0123456789abcdef0 (line 1)',
  ],
  [
    'instances: { ids: [i-12345678], region: us-east-1 }',
    'FILE: instances.region: there is no such option; did you mean regions? (line 1)',
  ],
  [
    'instances: { tags: { Number: 5 } }',
    'FILE: instances.tags.Number: 5 is not a tag\'s value; write it as "5" (line 1)',
  ],
];

for (const [text, line] of ONE_MISTAKE) {
  test(`mistake: ${JSON.stringify(text)}`, async () => assert.deepEqual(await mistakesOf(text), [line]));
}

test('a file that is not there, is a folder or is not text is refused in words', async () => {
  const refused = (file: string) =>
    assert.rejects(loadConfig({ CONFIG: file }, []), (error: Error) => error instanceof ConfigMistakes);
  await refused('/nowhere/at/all.yaml');
  await refused('/');
  assert.deepEqual(await mistakesOf(Buffer.from([0xff, 0xfe, 0x00, 0x74])), [
    'FILE: the file is not UTF-8 text; save it as UTF-8',
  ]);
});

test('views and lookups that are named must be folders', async () => {
  const [line, ...others] = await mistakesOf('tables: { my-table: {} }\nviews: nowhere');
  assert.match(
    line ?? '',
    /^FILE: views: "nowhere" is not a folder \(looked for .*\); create it or name another, relative to this file \(line 2\)$/,
  );
  assert.deepEqual(others, []);
});

const WRONG_VARIABLES: readonly (readonly [string, string, string])[] = [
  ['PORT', '80a', 'PORT: "80a" is not a port; write a whole number from 0 (any free port) to 65535'],
  ['PORT', '70000', 'PORT: "70000" is not a port; write a whole number from 0 (any free port) to 65535'],
  [
    'HOST',
    'http://localhost:80',
    'HOST: "http://localhost:80" is not an address to listen on; write it as localhost',
  ],
  ['LOG_LEVEL', 'warning', 'LOG_LEVEL: "warning" is not a log level; write it as warn'],
  ['ALLOW_SQL', '1', 'ALLOW_SQL: "1" is not true or false; write it as true'],
  [
    'GRAFANA_URL',
    'grafana.example.org',
    'GRAFANA_URL: "grafana.example.org" is not a web address; write it as http://grafana.example.org',
  ],
  [
    'GRAFANA_URL',
    'javascript:alert(1)',
    'GRAFANA_URL: "javascript:alert(1)" is not a web address; write one with its scheme, such as http://localhost:3000/',
  ],
  [
    'ALLOWED_HOSTS',
    'https://data.example.org:8443/csv',
    'ALLOWED_HOSTS: "https://data.example.org:8443/csv" is not a host name; write it as data.example.org',
  ],
  [
    'ALLOWED_HOSTS',
    'a.example,*.example',
    'ALLOWED_HOSTS: "*.example" is not a host name; write each without scheme, port and path, separated by commas, such as data.example.org',
  ],
  [
    'CORS_ORIGIN',
    'https://a.example/',
    'CORS_ORIGIN: "https://a.example/" is not an origin; write it as https://a.example',
  ],
  [
    'CORS_ORIGIN',
    '*',
    'CORS_ORIGIN: "*" is not an origin; write each as scheme://host or scheme://host:port, separated by commas, such as https://grafana.example.org',
  ],
];

for (const [name, value, line] of WRONG_VARIABLES) {
  test(`mistake: ${name}=${value}`, async () => {
    assert.deepEqual(await mistakesOf('tables: { my-table: {} }', { [name]: value }), [line]);
  });
}

test('a wrong token is refused without being shown', async () => {
  const [line, ...others] = await mistakesOf('tables: { my-table: {} }', { API_TOKEN: 'hush hush' });
  assert.match(line ?? '', /^API_TOKEN: /);
  assert.doesNotMatch(line ?? '', /hush/);
  assert.deepEqual(others, []);
});

test('a token in the file is refused without being shown', async () => {
  const lines = await mistakesOf('tables: { my-table: {} }\napiToken: hush');
  assert.deepEqual(lines, [
    'FILE: apiToken: there is no such option; set it as environment variable API_TOKEN, so that no secret stands in a file (line 2)',
  ]);
});

test('file, environment and command line are refused together, in the order of the file', async () => {
  const text = `
timeZone: Mars
tables:
  one: { interval: soon, log: maybe }
  two: { as: one }
  two: { as: three }
`;
  const lines = await mistakesOf(text, { PORT: 'x', ALLOW_SQL: 'x' }, ['--chek']);
  const places = [
    'line 6',
    'timeZone',
    'tables.one.interval',
    'tables.one.log',
    'command line',
    'PORT',
    'ALLOW_SQL',
  ];
  assert.equal(lines.length, places.length);
  places.forEach((place, index) => {
    assert.ok(
      lines[index]?.replace('FILE: ', '').startsWith(place),
      `${lines[index]} should be about ${place}`,
    );
  });
});

test('an unknown argument is answered with the known ones', async () => {
  const text = 'tables: { my-table: {} }';
  assert.deepEqual(await mistakesOf(text, {}, ['--fast']), [
    'command line: "--fast" is not known; there are --check, which tries the configuration and ends, --help, and commands, which --help lists; all else stands in the configuration file',
  ]);
  assert.deepEqual(await mistakesOf(text, {}, ['--hlp']), [
    'command line: "--hlp" is not known; did you mean --help?',
  ]);
  // They were looked for in the first place only.
  assert.deepEqual(await mistakesOf(text, {}, ['verfy', '--check', 'restore']), [
    'command line: "verfy" is not known; did you mean verify?',
    'command line: "restore" is a command; write it first',
  ]);
});

test('mistakes end the process with 78 and are one line each', async () => {
  await withFile('tables: { "a\\nb": { log: "x\\ny" } }', async (file) => {
    await assert.rejects(loadConfig({ CONFIG: file }, []), (error: ConfigMistakes) => {
      assert.equal(error.exitCode, 78);
      assert.equal(error.message.split('\n').length, error.mistakes.length);
      return true;
    });
  });
});
