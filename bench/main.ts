/** `npm run bench [NAME…]`: all benchmarks, or those named, as one table of ratios. */

import { aggregatesBenchmark } from './aggregates.js';
import { archiveBenchmark } from './archive.js';
import { dumpBenchmark } from './dump.js';
import { followersBenchmark } from './followers.js';
import type { Benchmark, Comparison } from './harness.js';
import { historyBenchmark } from './history.js';
import { httpBenchmark } from './http.js';
import { memoryBenchmark } from './memory.js';
import { scaleBenchmark } from './scale.js';
import {
  firstScanBenchmark,
  pollBenchmark,
  scanBenchmark,
  scanLatencyBenchmark,
  wideBenchmark,
} from './scan.js';
import { startBenchmark } from './start.js';
import { streamBenchmark } from './stream.js';
import { tableMemoryBenchmark } from './table-memory.js';
import { windowsBenchmark } from './windows.js';

const BENCHMARKS: readonly Benchmark[] = [
  scanBenchmark,
  scanLatencyBenchmark,
  firstScanBenchmark,
  pollBenchmark,
  wideBenchmark,
  tableMemoryBenchmark,
  httpBenchmark,
  memoryBenchmark,
  historyBenchmark,
  windowsBenchmark,
  streamBenchmark,
  dumpBenchmark,
  aggregatesBenchmark,
  followersBenchmark,
  archiveBenchmark,
  startBenchmark,
];

/** Written pages are not measured unless asked for by name. */
const BY_NAME: readonly Benchmark[] = [scaleBenchmark];

// Options are those of the benchmark that takes them.
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = names.filter(
  (name) => ![...BENCHMARKS, ...BY_NAME].some((benchmark) => benchmark.name === name),
);
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(', ')}. There are:`);
  for (const { name, about } of [...BENCHMARKS, ...BY_NAME]) console.error(`  ${name}: ${about}`);
  process.exit(64);
}

const lines: Comparison[] = [];
const chosen = [...BENCHMARKS, ...BY_NAME].filter(({ name }) => names.includes(name));
for (const benchmark of names.length === 0 ? BENCHMARKS : chosen) {
  console.error(`${benchmark.name}: ${benchmark.about} …`);
  lines.push(...(await benchmark.run()));
}
console.log(table(lines));
if (lines.some(({ reached }) => reached === false)) process.exitCode = 1;

function table(comparisons: readonly Comparison[]): string {
  const rows = [
    ['', 'ours', 'other', 'ratio', 'goal', ''],
    ...comparisons.map(({ what, ours, other, ratio, goal, reached }) => [
      what,
      ours,
      other,
      ratio?.toFixed(2) ?? '',
      goal ?? '',
      reached === null ? '' : reached ? 'reached' : 'MISSED',
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
