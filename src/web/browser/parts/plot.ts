import uPlot from 'uplot';
import { h, setText } from '../dom.js';
import { onLookChange } from './look.js';

/** The palette of lines without a colour of their own; the first is the page's main colour. */
const COLOURS = [
  '--main',
  '--line-2',
  '--line-3',
  '--line-4',
  '--line-5',
  '--line-6',
  '--line-7',
  '--line-8',
];
export const MOST_LINES = COLOURS.length;

export interface Line {
  readonly label: string;
  /** One per time; null: no value (a gap); undefined: no row (the line continues). */
  readonly values: readonly (number | null | undefined)[];
  /** A custom property of page.css; by default the next of the palette. */
  readonly colour?: string;
  readonly style?: 'line' | 'area' | 'dashed';
}

export interface PlotData {
  /** Milliseconds since the epoch, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}

export interface PlotOptions {
  /** A text alternative for screen readers. */
  readonly label: string;
  readonly timeZone: string;
  readonly language: string;
  readonly height: number;
  readonly value: (value: number) => string;
  readonly time: (time: number) => string;
  /** Called with a time range selected by the pointer, in milliseconds. Null: no zooming. */
  readonly onZoom: ((from: number, to: number) => void) | null;
}

/** Lines over time, in the service's time zone, redrawn when the theme changes. */
export class Plot {
  readonly element: HTMLElement;
  readonly #options: PlotOptions;
  readonly #canvas: HTMLElement;
  readonly #legend = h('ul', { class: 'legend' });
  readonly #close: (() => void)[] = [];
  #plot: uPlot | null = null;
  #data: PlotData = { times: [], lines: [] };
  #shape = '';
  #readouts: HTMLElement[] = [];
  readonly #hidden = new Set<string>();

  constructor(options: PlotOptions) {
    this.#options = options;
    this.#canvas = h('div', { class: 'canvas', role: 'img', 'aria-label': options.label });
    this.#canvas.style.height = `${options.height}px`;
    this.element = h('div', { class: 'plot' }, this.#canvas, this.#legend);
    const sizes = new ResizeObserver(() => this.#fit());
    sizes.observe(this.#canvas);
    this.#close.push(
      () => sizes.disconnect(),
      onLookChange(() => this.#build()),
    );
  }

  show(data: PlotData): void {
    this.#data = data;
    const shape = JSON.stringify(data.lines.map(({ label, colour, style }) => [label, colour, style]));
    if (this.#plot !== null && shape === this.#shape) {
      this.#plot.setData(aligned(data));
      this.#readLast();
      return;
    }
    this.#shape = shape;
    this.#build();
  }

  close(): void {
    for (const close of this.#close) close();
    this.#plot?.destroy();
  }

  #build(): void {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#canvas.clientWidth === 0) return;
    const { timeZone, language, height, value, onZoom } = this.#options;
    const colour = (name: string) => resolveColour(this.#canvas, name);
    const axis: uPlot.Axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--rule'), width: 1 },
      ticks: { show: false },
      font: `12px ${getComputedStyle(this.#canvas).fontFamily}`,
    };
    this.#plot = new uPlot(
      {
        width: this.#canvas.clientWidth,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), timeZone),
        legend: { show: false },
        cursor: { drag: { x: onZoom !== null, y: false, setScale: false }, points: { size: 7 } },
        scales: { y: { range: rangeFromZero } },
        axes: [
          { ...axis, size: 30, values: axisTimes(language, timeZone) },
          {
            ...axis,
            size: 60,
            values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : value(tick))),
          },
        ],
        series: [
          {},
          ...this.#data.lines.map((line, index): uPlot.Series => {
            const stroke = colour(colourOf(line, index));
            return {
              label: line.label,
              stroke,
              width: 1.75,
              show: !this.#hidden.has(line.label),
              points: { show: this.#data.times.length < 40, size: 5 },
              ...(line.style === 'area' ? { fill: stroke.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)') } : {}),
              ...(line.style === 'dashed' ? { dash: [5, 4] } : {}),
            };
          }),
        ],
        hooks: {
          setCursor: [(plot) => this.#readAt(plot.cursor.idx ?? null)],
          setSelect: [
            (plot) => {
              const { left, width } = plot.select;
              if (width < 4 || onZoom === null) return;
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              onZoom(plot.posToVal(left, 'x') * 1_000, plot.posToVal(left + width, 'x') * 1_000);
            },
          ],
        },
      },
      aligned(this.#data),
      this.#canvas,
    );
    this.#makeLegend();
  }

  #fit(): void {
    const width = this.#canvas.clientWidth;
    if (this.#plot === null) this.#build();
    else if (width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: this.#options.height });
    }
  }

  #makeLegend(): void {
    this.#readouts = this.#data.lines.map(() => h('output', {}));
    this.#legend.replaceChildren(
      ...this.#data.lines.map((line, index) => {
        const swatch = h('span', { class: `swatch ${line.style ?? 'line'}` });
        swatch.style.color = `var(${colourOf(line, index)})`;
        const toggle = h(
          'button',
          { type: 'button', 'aria-pressed': String(!this.#hidden.has(line.label)) },
          swatch,
          h('span', {}, line.label),
          this.#readouts[index]!,
        );
        toggle.addEventListener('click', () => {
          if (!this.#hidden.delete(line.label)) this.#hidden.add(line.label);
          const show = !this.#hidden.has(line.label);
          toggle.setAttribute('aria-pressed', String(show));
          this.#plot?.setSeries(index + 1, { show });
        });
        return h('li', {}, toggle);
      }),
      h('li', { class: 'moment' }),
    );
    this.#readLast();
  }

  /** Shows the values under the pointer, or the last value of each line if there is none. */
  #readAt(index: number | null): void {
    const moment = this.#legend.lastElementChild;
    if (index === null || moment === null) {
      this.#readLast();
      return;
    }
    setText(moment, this.#options.time(this.#data.times[index]!));
    this.#read((line) => line.values[index] ?? null);
  }

  #readLast(): void {
    if (this.#legend.lastElementChild !== null) setText(this.#legend.lastElementChild, '');
    this.#read((line) => line.values.findLast((value) => typeof value === 'number') ?? null);
  }

  #read(pick: (line: Line) => number | null): void {
    for (const [index, line] of this.#data.lines.entries()) {
      const value = pick(line);
      const readout = this.#readouts[index];
      if (readout !== undefined) setText(readout, value === null ? '–' : this.#options.value(value));
    }
  }
}

function aligned({ times, lines }: PlotData): uPlot.AlignedData {
  return [
    times.map((time) => time / 1_000),
    ...lines.map(({ values }) => values as (number | null | undefined)[]),
  ];
}

function colourOf(line: Line, index: number): string {
  return line.colour ?? COLOURS[index % COLOURS.length]!;
}

/** Resolves a colour, because a canvas does not support custom properties. */
function resolveColour(host: HTMLElement, name: string): string {
  const probe = h('span');
  probe.style.color = `var(${name})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Starts the axis at zero if that costs at most half of the height, so that lines are not flattened. */
function rangeFromZero(_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  const room = (max - min || Math.abs(max) || 1) * 0.08;
  const isNearZero = min >= 0 && min <= max / 2;
  return [isNearZero ? 0 : min - room, max + room];
}

const MINUTE = 60;
const DAY = 86_400;

/** Tick labels in the user's language, with the date where a day begins. */
function axisTimes(language: string, timeZone: string): uPlot.Axis.DynamicValues {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { timeZone, hourCycle: 'h23', ...options });
  const second = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const minute = format({ hour: '2-digit', minute: '2-digit' });
  const day = format({ month: 'short', day: 'numeric' });
  return (_, ticks, __, ___, step) =>
    ticks.map((tick) => {
      const time = tick * 1_000;
      if (step < MINUTE) return second.format(time);
      const clock = minute.format(time);
      return step >= DAY || clock === '00:00' ? day.format(time) : clock;
    });
}
