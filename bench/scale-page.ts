/** `docs/performance.md` and its plot, made of measured figures. */
import { loadavg } from 'node:os';

export type Part = 'items' | 'shares' | 'tables' | 'history' | 'clients';

/** What was measured at one size, by what it is. */
export interface Row {
  readonly size: number;
  readonly [name: string]: number;
}

interface Measured {
  readonly rows: readonly Row[];
  readonly measured: { readonly at: string; readonly machine: string; readonly busy: string };
}

export type Figures = Partial<Record<Part, Measured>>;

interface About {
  readonly title: string;
  readonly size: string;
  readonly about: string;
  readonly wall: string;
}

const ABOUT: Readonly<Record<Part, About>> = {
  items: {
    title: 'Items in a table',
    size: 'items',
    about:
      'Whole polls of one table of 195-byte items into `<table>.csv`, from DynamoDB’s responses (replayed by a local process) to the file. Memory is that of the service with such a table, started as in the image: after polls in which everything changed, and the most that was seen during them.',
    wall: 'memory, since a table is held as CSV, and a poll makes a new one beside it. Processor time grows with the items; an unchanged one costs a fraction of a changed one.',
  },
  shares: {
    title: 'Share of items that change between two polls',
    size: '% changed',
    about: 'The same with 200,000 items; those that change are spread evenly over the table.',
    wall: 'items are recognised in blocks of about ten. From a tenth of the items on, almost every block has one that changed, so more changes cost little more.',
  },
  tables: {
    title: 'Tables',
    size: 'tables',
    about: `Tables of 1,000 items in one service, each polled every ten seconds; nothing changes. Then the datasets are requested in turns.`,
    wall: 'one process: its polls share a processor. The processor time of few tables is mostly that of the service itself. Divide the tables over several services when processor time per poll, times polls a second, comes near one second.',
  },
  history: {
    title: 'Days of history',
    size: 'days',
    about:
      'A log of two counters polled every 30 seconds, with the views of the fleet. The last seven days are in memory, earlier ones are Parquet files. Files of days before the last 40 are copies of later ones.',
    wall: 'the start lists the files of all days, and SQL over a log without a condition on the day opens all of them. So does the first window with `every=1d` or a longer step; then the last rows of each day are in memory, and a year by day takes some 30 ms of processor time instead of 770.',
  },
  clients: {
    title: 'Clients',
    size: 'clients',
    about:
      'Connections that each request distinct ten-minute windows (about forty rows) as fast as they are answered. The program that requests them runs on the same machine.',
    wall: 'one processor: the event loop answers some thousand windows a second, whatever the number of clients; with more of them each waits longer.',
  },
};

/** The one-minute load average, such as `0.4`. */
export function loadAverage(): string {
  return loadavg()[0]!.toFixed(1);
}

export function pageOf(figures: Figures): string {
  const parts = partsOf(figures);
  const sections = parts.map(([part, measured]) => {
    const { title, size, about, wall } = ABOUT[part];
    return [`## ${title}`, about, table(size, measured.rows), `The next wall: ${wall}`].join('\n\n');
  });
  return `${[
    '# Performance',
    'What the service costs as its work grows. This page and its plot are written by `npm run bench -- scale`.',
    '![Cost against size: processor time per poll by items, changed share and tables; response times by days of history and clients](images/performance.svg)',
    sections.join('\n\n'),
    '## Where and how it was measured',
    where(parts),
    'To repeat it: `npm run bench -- scale` takes about a quarter of an hour; `-- scale --quick` leaves out the largest sizes, and `-- scale --only=items,clients` measures some of the parts and keeps the figures of the others. Times depend on the machine, and on what else runs on it; how they grow does not. `npm run bench` without a name compares the service with other ways to do the same.',
  ].join('\n\n')}\n`;
}

function where(parts: readonly (readonly [Part, Measured])[]): string {
  const lines = parts.map(
    ([part, { measured }]) =>
      `- ${ABOUT[part].title}: ${measured.at}, ${measured.machine}; load average before: ${measured.busy}`,
  );
  return [
    'A load average above the number of processors means that the machine was busy with something else, and that times are longer than they would be otherwise.',
    '',
    ...lines,
  ].join('\n');
}

function partsOf(figures: Figures): readonly (readonly [Part, Measured])[] {
  return (Object.keys(ABOUT) as Part[]).flatMap((part) => {
    const measured = figures[part];
    return measured === undefined ? [] : [[part, measured] as const];
  });
}

function table(size: string, rows: readonly Row[]): string {
  const names = Object.keys(rows[0]!).filter((name) => name !== 'size');
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line([size, ...names]),
    line(['---:', ...names.map(() => '---:')]),
    ...rows.map((row) => line([row.size, ...names.map((name) => row[name]!)].map(withCommas))),
  ].join('\n');
}

function withCommas(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

const PANEL = { width: 300, height: 210, left: 46, right: 14, top: 30, bottom: 34 };
const COLUMNS = 3;
const COLOURS = ['#2f6fde', '#d1622b', '#2a9d6f', '#8b5cc7', '#8a8f98'];

/** Small panels with logarithmic axes: a line that rises as steeply as its panel's diagonal grows with the size. */
export function plotOf(figures: Figures): string {
  const parts = partsOf(figures);
  const height = Math.ceil(parts.length / COLUMNS) * (PANEL.height + 76);
  const panels = parts.map(([part, { rows }], index) => {
    const x = (index % COLUMNS) * (PANEL.width + 20);
    const y = Math.floor(index / COLUMNS) * (PANEL.height + 76);
    return `<g transform="translate(${x} ${y})">${panel(ABOUT[part], rows)}</g>`;
  });
  const style = `text{font:11px Inter,Helvetica,Arial,sans-serif;fill:#3b4252}.t{font-weight:600;font-size:13px}.g{stroke:#e2e6ec}`;
  const width = COLUMNS * (PANEL.width + 20);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"><title>Cost against size</title><style>${style}</style><rect width="${width}" height="${height}" fill="#fff"/>${panels.join('')}</svg>\n`;
}

function panel({ title, size }: About, rows: readonly Row[]): string {
  const names = Object.keys(rows[0]!)
    .filter((name) => name !== 'size' && /ms|second/.test(name))
    .slice(0, 4);
  const sizes = rows.map((row) => Math.max(row.size, 0.01));
  const values = rows.flatMap((row) => names.map((name) => Math.max(row[name]!, 0.01)));
  const across = scale(sizes, PANEL.left, PANEL.width - PANEL.right);
  const up = scale(values, PANEL.height - PANEL.bottom, PANEL.top);
  const decades = powersBetween(Math.min(...values), Math.max(...values));
  const grid = decades.map((value) => {
    const y = up(value).toFixed(1);
    const line = `<line class="g" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y}" y2="${y}"/>`;
    return `${line}<text x="${PANEL.left - 6}" y="${y}" dy="4" text-anchor="end">${withCommas(value)}</text>`;
  });
  const ticks = rows.map(({ size: value }, index) => {
    const x = across(sizes[index]!).toFixed(1);
    return `<text x="${x}" y="${PANEL.height - PANEL.bottom + 16}" text-anchor="middle">${short(value)}</text>`;
  });
  const lines = names.map((name, index) => {
    const points = rows.map(
      (row, at) => `${across(sizes[at]!).toFixed(1)},${up(Math.max(row[name]!, 0.01)).toFixed(1)}`,
    );
    const dots = points
      .map((point) => point.split(','))
      .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5" fill="${COLOURS[index]}"/>`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[index]}" stroke-width="1.6"/>${dots.join('')}`;
  });
  const legend = names.map((name, index) => {
    const y = PANEL.height + 8 + index * 14;
    return `<circle cx="${PANEL.left + 4}" cy="${y - 4}" r="3.5" fill="${COLOURS[index]}"/><text x="${PANEL.left + 14}" y="${y}">${escaped(name)}</text>`;
  });
  const heading = `<text class="t" x="4" y="16">${escaped(title)}</text>`;
  const axis = `<text x="${PANEL.width - PANEL.right}" y="${PANEL.height - 6}" text-anchor="end">${escaped(size)}</text>`;
  return [heading, ...grid, ...ticks, ...lines, axis, ...legend].join('');
}

/** A logarithmic scale over these values. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const [least, most] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  const span = most - least || 1;
  return (value) => from + ((Math.log10(value) - least) / span) * (to - from);
}

function powersBetween(least: number, most: number): readonly number[] {
  const [first, last] = [Math.ceil(Math.log10(least)), Math.floor(Math.log10(most))];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (first + index));
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1_000 ? `${value / 1_000}k` : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
