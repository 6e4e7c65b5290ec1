/**
 * `npm run sketches`: draws each of Grafana's dashboards to docs/images/grafana-*.svg, from their files and from the answers
 * of a running service (by default a demo at http://localhost:8080; another one as URL=…). A sketch is not a picture of
 * Grafana: places, titles, columns and values are right, fonts, axes and colours are only alike.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SERVICE = process.env.URL ?? 'http://localhost:8080';
const root = fileURLToPath(new URL('..', import.meta.url));
const WIDTH = 1568;
const [COLUMNS, ROW, GAP, HEADING, TOP] = [24, 30, 8, 40, 34];
const COLUMN = (WIDTH - (COLUMNS - 1) * GAP) / COLUMNS;
const INK = { text: '#ccccdc', faint: '#8e8e99', panel: '#181b1f', page: '#111217', line: '#2c3235' };
const COLOURS = {
  blue: '#5794f2',
  'light-blue': '#8ab8ff',
  purple: '#b877d9',
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
  transparent: 'none',
};
const PALETTE = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#5794f2',
  '#b877d9',
  '#37872d',
  '#e0b400',
];

const colour = (name) => COLOURS[name] ?? name ?? INK.text;
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const text = (x, y, content, { size = 14, fill = INK.text, anchor = 'start', weight = 400 } = {}) =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" font-weight="${weight}">${escaped(content)}</text>`;
const rect = (x, y, w, h, fill, more = '') =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0, w).toFixed(1)}" height="${Math.max(0, h).toFixed(1)}" fill="${fill}" ${more}/>`;

for (const name of ['fleet-now', 'fleet-today', 'fleet-week', 'collector']) {
  const dashboard = JSON.parse(
    readFileSync(join(root, `grafana-provisioning/dashboards/csv/${name}.json`), 'utf8'),
  );
  writeFileSync(join(root, `docs/images/grafana-${name}.svg`), await draw(dashboard));
  console.log(`docs/images/grafana-${name}.svg`);
}

async function draw(dashboard) {
  const panels = dashboard.panels;
  const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const height = TOP + rows * (ROW + GAP) + GAP;
  const parts = await Promise.all(panels.map((panel) => drawPanel(panel, dashboard)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 32} ${height}" font-family="Inter, Helvetica, Arial, sans-serif">`,
    `<title>Sketch of the Grafana dashboard ${escaped(dashboard.title)}</title>`,
    rect(0, 0, WIDTH + 32, height, INK.page),
    text(16, 22, dashboard.title, { size: 16, weight: 500 }),
    text(WIDTH + 16, 22, "A sketch from the demo's data, not a screenshot of Grafana", {
      size: 12,
      fill: INK.faint,
      anchor: 'end',
    }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

async function drawPanel(panel, dashboard) {
  const { x, y, w, h } = panel.gridPos;
  const box = {
    x: 16 + x * (COLUMN + GAP),
    y: TOP + y * (ROW + GAP),
    w: w * COLUMN + (w - 1) * GAP,
    h: h * ROW + (h - 1) * GAP,
  };
  if (panel.type === 'row')
    return text(box.x + 4, box.y + 21, `${panel.collapsed ? '›' : '⌄'} ${panel.title}`, { weight: 500 });
  const inner = { x: box.x + 9, y: box.y + HEADING, w: box.w - 18, h: box.h - HEADING - 9 };
  const frames = [];
  for (const target of panel.targets ?? []) frames.push(await answer(target, dashboard, panel));
  const draws = { stat, timeseries, barchart, table, geomap, alertlist };
  return [
    `<g>${rect(box.x, box.y, box.w, box.h, INK.panel, `stroke="${INK.line}" rx="2"`)}`,
    draws[panel.type](panel, frames, inner, box),
    `${text(box.x + 13, box.y + 25, panel.title, { weight: 500 })}</g>`,
  ].join('\n');
}

async function answer({ path, params }, { time, templating }, { timeFrom, gridPos }) {
  const [from, to] = timeFrom ? [`now-${timeFrom}`, 'now'] : [time.from, time.to];
  const range = { from: moment(from, false), to: moment(to, true) };
  const step =
    [1, 2, 5, 10, 15, 30, 60, 180, 360, 720, 1440].find(
      (m) => m * 60_000 >= (range.to - range.from) / (gridPos.w * 40),
    ) ?? 1440;
  const values = { __from: range.from, __to: range.to, __interval: `${step}m` };
  for (const { name, current } of templating.list) values[name] = [current.value].flat().join(',');
  const query = new URLSearchParams(
    params.map(([key, value]) => [key, value.replace(/\$\{(\w+)(:csv)?\}/g, (_, name) => values[name])]),
  );
  query.delete('pad');
  query.set('format', 'json');
  const response = await fetch(`${SERVICE}/csv${path}?${query}`);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.json();
}

/** Of the words that our dashboards use: `now`, `now-3h`, `now/d`. The fleet's day begins at five in UTC, or at four. */
function moment(words, isEnd) {
  const [, count, unit, day] = /^now(?:-(\d+)(\w))?(\/d)?$/.exec(words);
  const milliseconds = { m: 60_000, h: 3_600_000, d: 86_400_000 };
  const at = Date.now() - (count === undefined ? 0 : count * milliseconds[unit]);
  if (day === undefined) return at;
  const shift = 5 * milliseconds.h;
  return Math.floor((at - shift) / milliseconds.d) * milliseconds.d + shift + (isEnd ? milliseconds.d : 0);
}

function overrides(panel, field) {
  const rules = (panel.fieldConfig?.overrides ?? []).filter(({ matcher }) => matcher.options === field);
  return Object.fromEntries(
    rules.flatMap(({ properties }) => properties.map(({ id, value }) => [id, value])),
  );
}

/** What a mapping of the panel makes of a value: a text, a colour; undefined where none is for it. */
function mapped(value, mappings = []) {
  for (const { type, options } of mappings) {
    if (type === 'value' && options[value] !== undefined) return options[value];
    if (type === 'special' && options.match === 'null+nan' && (value === null || value === undefined))
      return options.result;
  }
  return undefined;
}

function format(value, { unit, decimals, mappings, noValue = '–' }) {
  const text = mapped(value, mappings)?.text;
  if (text !== undefined) return text;
  if (value === null || value === undefined || value === '') return noValue;
  if (unit?.startsWith('time:')) return new Date(value).toUTCString().slice(0, unit.includes('HH') ? 22 : 11);
  if (typeof value !== 'number') return String(value);
  const fixed = (digits) =>
    value.toLocaleString('en-US', {
      maximumFractionDigits: decimals ?? digits,
      minimumFractionDigits: decimals ?? 0,
    });
  if (unit === 'percent') return `${fixed(1)}%`;
  if (unit === 'Bps')
    return value >= 1_000_000 ? `${(value / 1e6).toFixed(1)} MB/s` : `${(value / 1e3).toFixed(1)} kB/s`;
  if (unit === 's') return value >= 120 ? `${(value / 60).toFixed(0)} min` : `${fixed(2)} s`;
  if (unit === 'ms') return `${fixed(1)} ms`;
  if (unit === 'currencyUSD') return `$${fixed(2)}`;
  if (unit?.startsWith('suffix:')) return `${fixed(2)} ${unit.slice(7)}`;
  return fixed(2);
}

function colourOf(value, { color, thresholds, mappings }) {
  const own = mapped(value, mappings)?.color;
  if (own) return colour(own);
  if (color?.mode === 'fixed') return colour(color.fixedColor);
  const steps = thresholds?.steps ?? [];
  return colour(steps.filter((step) => step.value === null || value >= step.value).at(-1)?.color);
}

function stat(panel, [rows], inner, box) {
  const columns = panel.fieldConfig.overrides.map(({ matcher }) => matcher.options);
  const { calcs } = panel.options.reduceOptions;
  const reduce = {
    sum: (all) => all.reduce((a, b) => a + b, 0),
    max: (all) => Math.max(...all),
    lastNotNull: (all) => all.at(-1),
  }[calcs[0]];
  return columns
    .map((column, i) => {
      const settings = overrides(panel, column);
      const all = rows.map((row) => row[column]).filter((value) => value !== null && value !== undefined);
      const value = all.length === 0 ? null : reduce(all);
      const width = box.w / columns.length;
      const isLoud = panel.options.colorMode === 'background';
      const paint = colourOf(value, settings);
      const shown = format(value, settings);
      const title = panel.options.textMode === 'value_and_name' ? settings.displayName : '';
      const size = Math.min(40, (width - 30) / (0.62 * (shown.length + title.length * 0.7)), inner.h * 0.7);
      const fill = isLoud && paint !== 'none' ? '#ffffff' : paint === 'none' ? INK.text : paint;
      return [
        isLoud && paint !== 'none'
          ? rect(
              box.x + i * width + 2,
              box.y + HEADING - 4,
              width - 4,
              box.h - HEADING + 2,
              paint,
              'opacity="0.85"',
            )
          : '',
        text(
          box.x + (i + 0.5) * width,
          inner.y + inner.h / 2 + size * 0.35,
          title ? `${title} ${shown}` : shown,
          { size: Math.round(size), fill, anchor: 'middle', weight: 500 },
        ),
      ].join('');
    })
    .join('');
}

function timeseries(panel, [rows], inner) {
  const long = (panel.transformations ?? []).find(({ id }) => id === 'groupingToMatrix')?.options;
  const lines = long
    ? byName(rows, long)
    : panel.fieldConfig.overrides.map(({ matcher }) => lineOf(rows, panel, matcher.options));
  const plot = { x: inner.x + 48, y: inner.y + 4, w: inner.w - 56, h: inner.h - 46 };
  const times = rows.map(({ timestamp }) => Date.parse(timestamp));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (time) => plot.x + (plot.w * (time - first)) / Math.max(1, last - first);
  const parts = lines.map((line, i) => {
    const known = line.points.filter(([, value]) => value !== null);
    const max = line.right
      ? 100
      : Math.max(
          panel.fieldConfig.defaults.max ?? 0,
          ...lines
            .filter((other) => !other.right)
            .flatMap(({ points }) => points.map(([, value]) => value ?? 0)),
          1e-9,
        );
    const y = (value) => plot.y + plot.h - (plot.h * value) / max;
    const paint = line.colour ?? PALETTE[i % PALETTE.length];
    const top = line.right
      ? ''
      : text(plot.x - 6, plot.y + 10, format(max, { unit: panel.fieldConfig.defaults.unit }), {
          size: 11,
          fill: INK.faint,
          anchor: 'end',
        });
    const legend = text(
      plot.x + (i % 4) * (plot.w / 4),
      inner.y + inner.h - 16 + 14 * Math.floor(i / 4),
      `— ${line.title}`,
      { size: 11, fill: paint },
    );
    if (line.bars) {
      const width = (plot.w / known.length) * 0.9;
      return (
        known
          .map(([, value], n) =>
            rect(
              plot.x + (n * plot.w) / known.length,
              y(value),
              width,
              plot.y + plot.h - y(value),
              paint,
              'opacity="0.8"',
            ),
          )
          .join('') +
        legend +
        (i === 0 ? top : '')
      );
    }
    const path = known
      .map(([time, value], n) => `${n ? 'L' : 'M'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`)
      .join('');
    return `<path d="${path}" fill="none" stroke="${paint}" stroke-width="1.5" ${line.dashed ? 'stroke-dasharray="8 6"' : ''}/>${legend}${i === 0 ? top : ''}`;
  });
  return `${rect(plot.x, plot.y + plot.h, plot.w, 1, INK.line)}${parts.join('')}`;
}

function byName(rows, { columnField, valueField }) {
  return [...new Set(rows.map((row) => row[columnField]))].map((title) => ({
    title,
    points: rows
      .filter((row) => row[columnField] === title)
      .map((row) => [Date.parse(row.timestamp), row[valueField]]),
  }));
}

function lineOf(rows, panel, column) {
  const settings = overrides(panel, column);
  return {
    title: settings.displayName,
    colour: colour(settings.color.fixedColor),
    dashed: settings['custom.lineStyle'] !== undefined,
    bars: settings['custom.drawStyle'] === 'bars',
    right: settings['custom.axisPlacement'] === 'right',
    points: rows.map((row) => [Date.parse(row.timestamp), row[column]]),
  };
}

function barchart(panel, [rows], inner) {
  const names = panel.transformations.at(-1).options.renameByName;
  const columns = Object.keys(names).filter((column) => column !== panel.options.xField);
  const plot = { x: inner.x + 48, y: inner.y + 4, w: inner.w - 56, h: inner.h - 46 };
  const max =
    panel.fieldConfig.defaults.max ??
    Math.max(1, ...rows.flatMap((row) => columns.map((column) => row[column] ?? 0)));
  const group = plot.w / rows.length;
  const bars = rows.flatMap((row, i) => [
    ...columns.map((column, n) => {
      const h = (plot.h * (row[column] ?? 0)) / max;
      const width = (group * 0.75) / columns.length;
      return rect(
        plot.x + i * group + n * width,
        plot.y + plot.h - h,
        width * 0.9,
        h,
        colour(overrides(panel, names[column]).color.fixedColor),
      );
    }),
    text(plot.x + (i + 0.4) * group, plot.y + plot.h + 14, row[panel.options.xField], {
      size: 10,
      fill: INK.faint,
      anchor: 'middle',
    }),
  ]);
  const legend = columns.map((column, i) =>
    text(plot.x + i * 140, inner.y + inner.h - 6, `■ ${names[column]}`, {
      size: 11,
      fill: colour(overrides(panel, names[column]).color.fixedColor),
    }),
  );
  return [
    ...bars,
    ...(columns.length > 1 ? legend : []),
    text(plot.x - 6, plot.y + 10, format(max, panel.fieldConfig.defaults), {
      size: 11,
      fill: INK.faint,
      anchor: 'end',
    }),
  ].join('');
}

function table(panel, [answered], inner) {
  const names = panel.transformations.at(-1).options.renameByName;
  const { rows, columns } =
    panel.transformations.length > 1
      ? matrix(answered, names)
      : { rows: answered, columns: Object.keys(names) };
  const settings = columns.map((column) => ({
    ...panel.fieldConfig.defaults,
    ...overrides(panel, names[column]),
  }));
  const fixed = settings.reduce((sum, one) => sum + (one['custom.width'] ?? 0), 0);
  const free = settings.filter((one) => one['custom.width'] === undefined).length;
  const least = (one) => one['custom.minWidth'] ?? panel.fieldConfig.defaults.custom?.minWidth ?? 150;
  const widths = settings.map((one) => one['custom.width'] ?? Math.max(least(one), (inner.w - fixed) / free));
  const shown = (rows.length === 0 ? [{}] : rows).slice(0, Math.floor((inner.h - 34) / 36));
  const range =
    panel.transformations.length > 1
      ? Math.max(...rows.flatMap((row) => columns.slice(1).map((column) => row[column] ?? 0)))
      : 0;
  let x = inner.x;
  return columns
    .map((column, i) => {
      const left = x;
      x += widths[i];
      const max = Math.max(...rows.map((row) => row[column] ?? 0));
      const cells = shown.map((row, n) => {
        const y = inner.y + 34 + n * 36;
        const label = format(row[column], settings[i]);
        const cell = settings[i]['custom.cellOptions'] ?? {};
        if (range > 0 && i > 0) {
          const steps = panel.fieldConfig.defaults.thresholds.steps.filter(
            (step) => (100 * row[column]) / range >= (step.value ?? 0),
          );
          return (
            rect(left, y, widths[i] - 1, 35, steps.at(-1)?.color ?? 'none') +
            text(left + widths[i] / 2, y + 23, label, { size: 13, anchor: 'middle' })
          );
        }
        if (cell.type === 'gauge') {
          const room = widths[i] - 24 - label.length * 8;
          return (
            rect(
              left + 6,
              y + 8,
              (room * row[column]) / Math.max(1e-9, max),
              20,
              settings[i].color ? colour(settings[i].color.fixedColor) : INK.faint,
            ) + text(left + widths[i] - 8, y + 23, label, { size: 13, anchor: 'end' })
          );
        }
        if (cell.type === 'color-background')
          return (
            rect(left + 1, y + 2, widths[i] - 2, 32, colourOf(row[column], settings[i]), 'opacity="0.8"') +
            text(left + 8, y + 23, label, { size: 13 })
          );
        return text(left + 6, y + 23, label.slice(0, Math.max(3, Math.floor((widths[i] - 8) / 7))), {
          size: 13,
        });
      });
      return (
        text(left + 6, inner.y + 22, names[column], { size: 13, fill: INK.faint, weight: 500 }) +
        cells.join('')
      );
    })
    .join('');
}

/** The mean of each hour of each weekday, as Grafana's transformations make it. */
function matrix(answered, names) {
  const columns = Object.keys(names);
  const [corner] = columns;
  const [down, across] = corner.split('\\');
  const rows = [...new Set(answered.map((row) => row[down]))].map((hour) => {
    const row = { [corner]: hour };
    for (const name of columns.slice(1)) {
      const all = answered
        .filter((one) => one[down] === hour && one[across] === name)
        .map((one) => one.pickups);
      row[name] = all.length === 0 ? null : all.reduce((a, b) => a + b, 0) / all.length;
    }
    return row;
  });
  return { rows, columns };
}

function geomap(panel, [values, outline], inner) {
  const { size, color } = panel.options.layers[1].config.style;
  const flat = ({ latitude, longitude }) => [longitude * Math.cos((40.77 * Math.PI) / 180), -latitude];
  const points = outline.filter(({ latitude }) => latitude !== null).map(flat);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const scale =
    Math.min(inner.w / (Math.max(...xs) - Math.min(...xs)), inner.h / (Math.max(...ys) - Math.min(...ys))) *
    0.85;
  const place = ([x, y]) => [
    inner.x + inner.w / 2 + (x - (Math.max(...xs) + Math.min(...xs)) / 2) * scale,
    inner.y + inner.h / 2 + (y - (Math.max(...ys) + Math.min(...ys)) / 2) * scale,
  ];
  const max = Math.max(1, ...values.map((row) => row[size.field]));
  const circle = ([x, y], r, fill) =>
    `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r.toFixed(1)}" fill="${fill}" opacity="0.6"/>`;
  const circles = values
    .filter(({ latitude }) => latitude !== null)
    .map((row) =>
      circle(
        place(flat(row)),
        size.min + ((size.max - size.min) * row[size.field]) / max,
        colour(color.fixed),
      ),
    );
  return points.map((point) => circle(place(point), 2, INK.faint)).join('') + circles.join('');
}

function alertlist(_panel, _frames, inner) {
  return text(inner.x + inner.w / 2, inner.y + inner.h / 2, 'No alerts matching filters', {
    fill: INK.faint,
    anchor: 'middle',
  });
}
