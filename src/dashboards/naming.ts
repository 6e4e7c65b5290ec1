import { units } from './look.js';
import { hashed } from './uid.js';

/** How a column is called on a dashboard, and what its name says about its values. */

/** `cpu_utilization` → `Cpu utilization`; a name that is no plain identifier stays as it is. */
export function titleOf(name: string): string {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim();
  if (!/^\w+$/.test(name.replaceAll('-', '_')) || words === '') return name;
  // Words in capitals (`CPU`) stay.
  const lower = words.replaceAll(/\b[A-Z][a-z\d]*\b/g, (word) =>
    word.length === 1 ? word : word.toLowerCase(),
  );
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}

/** A unit by Grafana's id, with decimals where Grafana's own choice would not do. */
export interface Unit {
  readonly unit: string;
  readonly decimals?: number;
}

/**
 * Units by the last words of a name, first match first. Ids:
 * https://github.com/grafana/grafana/blob/v12.4.0/packages/grafana-data/src/valueFormats/categories.ts
 */
const UNITS: readonly (readonly [words: RegExp, unit: Unit])[] = [
  [/(^|_)(usd|dollars?)$/, { unit: 'currencyUSD' }],
  [/(^|_)(eur|euros?)$/, { unit: 'currencyEUR' }],
  [/(^|_)gbp$/, { unit: 'currencyGBP' }],
  [/(^|_)(jpy|yen)$/, { unit: 'currencyJPY' }],
  [/(^|_)(krw|won)$/, { unit: 'currencyKRW' }],
  // A price without a currency: a wrong one would be worse than none.
  [/(^|_)(price|prices|cost|costs|fee|amount|revenue|total_price)$/, { unit: units.count, decimals: 2 }],
  [/(^|_)bytes_per_second$|(^|_)bps$/, { unit: units.bytesPerSecond }],
  [/(^|_)bytes?(_(in|out|sent|received|read|written|used|free|total))?$/, { unit: 'bytes' }],
  [/(^|_)(kb|kib|kilobytes?)$/, { unit: 'kbytes' }],
  [/(^|_)(mb|mib|megabytes?)$/, { unit: 'mbytes' }],
  [/(^|_)(gb|gib|gigabytes?)$/, { unit: 'gbytes' }],
  [/(^|_)(percent|percentage|pct|utili[sz]ation)$/, { unit: units.percent }],
  [/(^|_)(ratio|fraction|share)$/, { unit: 'percentunit' }],
  [/(^|_)(ns|nanos|nanoseconds?)$/, { unit: 'ns' }],
  [/(^|_)(us|micros|microseconds?)$/, { unit: 'µs' }],
  [/(^|_)(ms|millis|milliseconds?)$/, { unit: 'ms' }],
  [/(^|_)(s|secs?|seconds?)$/, { unit: units.seconds }],
  [/(^|_)(mins?|minutes?)$/, { unit: 'm' }],
  [/(^|_)(hours?|hrs?)$/, { unit: 'h' }],
  [/(^|_)days?$/, { unit: 'd' }],
  [/(^|_)(celsius|temp_c|temperature_c)$/, { unit: 'celsius' }],
  [/(^|_)(fahrenheit|temp_f|temperature_f)$/, { unit: 'fahrenheit' }],
  [/(^|_)(hz|hertz)$/, { unit: 'hertz' }],
  [/(^|_)watts?$/, { unit: 'watt' }],
  [/(^|_)kwh$/, { unit: 'kwatth' }],
  [/(^|_)volts?$/, { unit: 'volt' }],
  [/(^|_)(latitude|longitude|lat|lon|lng|degrees?)$/, { unit: 'degree' }],
];

/** `latencyMs` and `latency-ms` → `latency_ms`. */
const snakeCase = (name: string) =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/[\s.-]+/g, '_')
    .toLowerCase();

/** The unit that a name says: `latency_ms` is milliseconds. Without one it is a number with grouped digits. */
export function unitOf(name: string): Unit {
  const words = snakeCase(name);
  return UNITS.find(([pattern]) => pattern.test(words))?.[1] ?? { unit: units.count };
}

/** Whether numbers under this name measure nothing: ids, versions, places, and times as numbers. */
export function isLabel(name: string): boolean {
  return /(^|_)(id|ids|uuid|key|version|zip|postcode|phone|year|ttl|epoch|timestamp|time|at|expires|lat|lon|lng|latitude|longitude)$/.test(
    snakeCase(name),
  );
}

/**
 * Whether Grafana and both plugins take a name literally: Grafana would replace `$name` and `[[name]]` by variables, and a
 * line break ends a line in its lists.
 */
export function isPlainName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return name !== '' && name.length <= 200 && !/[$\\\u0000-\u001f\u007f]|\[\[/.test(name);
}

/** A panel's number that depends on nothing but its column and what it shows of it. */
export function panelIdOf(what: string, column: string): number {
  return 10_000 + (Number.parseInt(hashed(`${what}\n${column}`).slice(0, 7), 16) % 1_000_000_000);
}

/** The names with a number behind those that occur before: what Grafana goes by must be unique. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) free = `${name} (${number})`;
    taken.add(free);
    return free;
  });
}
