import type { PlotChoice } from '../address.js';
import type { Context } from '../context.js';
import { ApiFailure } from '../data/api.js';
import { type Loaded, loadCsv } from '../data/load.js';
import type { CsvRows } from '../data/rows.js';
import {
  bestChoice,
  type ChartData,
  chartData,
  EVERY_NUMBER,
  type Plottable,
  plotColumns,
} from '../dataset/chart-data.js';
import { h, newId, setAttribute, setChildren, setText } from '../dom.js';
import type { ColumnJson } from '../types.js';
import { Plot } from './plot.js';
import { resultColumns } from './result-columns.js';
import { type HeadCell, type TableOptions, VirtualTable } from './table.js';

export interface ResultRequest {
  readonly path: string;
  readonly options?: RequestInit;
  /** Columns whose types are known. */
  readonly known: readonly ColumnJson[];
  readonly timeColumn: string | null;
  readonly keys: readonly string[];
  /** See `Plottable.isKeyOnce`. */
  readonly isKeyOnce?: boolean;
  /** Null: the default. */
  readonly plot: PlotChoice | null;
  sortOf(column: string): HeadCell['sort'];
}

export interface ResultOptions extends Omit<TableOptions, 'words'> {
  readonly onZoom: ((from: number, to: number) => void) | null;
  readonly onPlot: (choice: PlotChoice) => void;
  /** Called once the columns are known. */
  readonly onColumns: (columns: readonly ColumnJson[]) => void;
  /** Called with the reason if there is no result. */
  readonly onFailure?: (failure: ApiFailure) => void;
}

const PLOT_HEIGHT = 210;

/** Rows of one response as a table and, if it has times and numbers, as a plot. */
export class ResultView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #options: ResultOptions;
  readonly #table: VirtualTable;
  readonly #status = h('p', { class: 'status' });
  readonly #failure = h('div', { class: 'failure', role: 'alert', hidden: true });
  readonly #empty = h('p', { class: 'empty', hidden: true });
  readonly #figure: HTMLElement;
  readonly #note = h('p', { class: 'quiet' });
  readonly #choice: PlotSelects;
  #plot: Plot | null = null;
  #loading: AbortController | null = null;
  #drawing: AbortController | null = null;
  #loaded: Loaded | null = null;
  #request: ResultRequest | null = null;

  constructor(context: Context, options: ResultOptions) {
    const { words } = context;
    this.#context = context;
    this.#options = options;
    this.#table = new VirtualTable({ ...options, words });
    this.#choice = plotSelects(context, options.onPlot);
    this.#figure = h(
      'figure',
      { class: 'chart', hidden: true },
      h('figcaption', {}, this.#choice.element, this.#note),
    );
    this.element = h(
      'div',
      { class: 'result' },
      this.#figure,
      this.#failure,
      this.#table.element,
      this.#empty,
      this.#status,
    );
    setAttribute(this.#table.element, 'hidden', true);
  }

  get bytes(): number {
    return this.#loaded?.rows.bytes ?? 0;
  }

  /** Loads and shows a response. The previous rows stay until there are new ones. */
  async load(request: ResultRequest, isRefresh: boolean): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#request = request;
    setAttribute(this.element, 'aria-busy', 'true');
    let isFirst = !isRefresh;
    try {
      const loaded = await loadCsv(
        this.#context.api,
        request.path,
        { ...request.options, signal: loading.signal },
        (rows) => {
          // A refresh replaces the old rows only when complete, so that nothing jumps.
          if (isRefresh || rows.header.length === 0) return;
          this.#showRows(rows, request);
          if (isFirst) this.#table.scrollToTop();
          isFirst = false;
          setText(this.#status, this.#context.words.result.loading(this.#context.format.number(rows.count)));
        },
      );
      this.#loaded = loaded;
      this.#failure.hidden = true;
      this.#showRows(loaded.rows, request);
      if (isFirst) this.#table.scrollToTop();
      this.#showStatus(loaded);
      this.#drawPlot();
    } catch (reason) {
      if (loading.signal.aborted) return;
      this.#showFailure(reason);
    }
    setAttribute(this.element, 'aria-busy', null);
  }

  /** Plots the same rows differently. */
  choosePlot(plot: PlotChoice | null): void {
    if (this.#request === null) return;
    this.#request = { ...this.#request, plot };
    this.#drawPlot();
  }

  clear(): void {
    this.#loading?.abort();
    this.#loaded = null;
    for (const part of [this.#figure, this.#failure, this.#empty, this.#table.element]) part.hidden = true;
    setText(this.#status, '');
  }

  close(): void {
    this.#loading?.abort();
    this.#drawing?.abort();
    this.#plot?.close();
  }

  #showRows(rows: CsvRows, request: ResultRequest): void {
    const columns = resultColumns(rows, request.known);
    this.#table.element.hidden = false;
    this.#table.show(
      rows,
      columns.map((column) => ({ column, sort: request.sortOf(column.name) })),
    );
    this.#options.onColumns(columns);
  }

  #showStatus({ rows, complete }: Loaded): void {
    const { words, format, announce } = this.#context;
    const count = format.number(rows.count);
    const text = complete
      ? words.rows(count, rows.count, format.bytes(rows.bytes))
      : words.result.tooMany(count);
    if (this.#status.textContent !== text) announce(text);
    setText(this.#status, text);
    this.#empty.hidden = rows.count > 0;
    setText(this.#empty, words.result.empty);
  }

  #showFailure(reason: unknown): void {
    const { words } = this.#context;
    this.clear();
    this.#failure.hidden = false;
    const isSaid = reason instanceof ApiFailure;
    setChildren(
      this.#failure,
      h('strong', {}, isSaid ? words.result.refused(reason.status) : words.result.unreachable),
      h('p', {}, isSaid ? reason.message : String(reason)),
    );
    if (isSaid) this.#options.onFailure?.(reason);
  }

  async #drawPlot(): Promise<void> {
    const request = this.#request;
    const rows = this.#loaded?.rows;
    if (request === null || rows === undefined) return;
    this.#drawing?.abort();
    const drawing = new AbortController();
    this.#drawing = drawing;
    const columns = resultColumns(rows, request.known);
    const timeColumn = request.timeColumn ?? columns.find(({ type }) => type === 'time')?.name ?? null;
    const { keys, isKeyOnce = false } = request;
    const plottable = timeColumn === null ? null : { columns, keys, isKeyOnce, timeColumn };
    const best = plottable === null ? null : bestChoice(plottable);
    if (plottable === null || best === null || rows.count < 2) {
      this.#figure.hidden = true;
      return;
    }
    const choice = request.plot ?? best;
    this.#choice.show(plottable, choice);
    const data = await chartData(rows, plottable, choice, drawing.signal).catch((reason) => {
      if (drawing.signal.aborted) return null;
      throw reason;
    });
    if (data !== null) this.#showPlot(data);
  }

  #showPlot(data: ChartData): void {
    const { words, format, timeZone, language } = this.#context;
    this.#figure.hidden = data.times.length === 0;
    if (this.#plot === null) {
      this.#plot = new Plot({
        label: words.plot.label(this.#options.label),
        timeZone,
        language,
        height: PLOT_HEIGHT,
        value: (value) => format.number(value, 2),
        time: format.dateTime,
        onZoom: this.#options.onZoom,
      });
      this.#figure.prepend(this.#plot.element);
    }
    this.#plot.show(data);
    const some = data.found > data.lines.length ? words.plot.some(data.lines.length, data.found) : '';
    const zoom = this.#options.onZoom === null ? '' : words.plot.zoomHint;
    setText(this.#note, [some, zoom].filter((text) => text !== '').join(' '));
  }
}

interface PlotSelects {
  readonly element: HTMLElement;
  show(plottable: Plottable, choice: PlotChoice): void;
}

function plotSelects({ words }: Context, onChoice: (choice: PlotChoice) => void): PlotSelects {
  const field = (label: string) => {
    const id = newId();
    const select = h('select', { id });
    select.addEventListener('change', () =>
      onChoice({ value: value.select.value, series: series.select.value || null }),
    );
    return { select, element: h('div', { class: 'field' }, h('label', { for: id }, label), select) };
  };
  const value = field(words.plot.value);
  const series = field(words.plot.series);
  const element = h('div', { class: 'choices' }, value.element, series.element);
  let shown = '';
  return {
    element,
    show(plottable, choice) {
      const columns = plotColumns(plottable);
      const next = JSON.stringify(columns);
      if (next !== shown) {
        shown = next;
        const options = (names: readonly string[]) => names.map((name) => h('option', { value: name }, name));
        setChildren(
          value.select,
          columns.values.length > 1 && h('option', { value: EVERY_NUMBER }, words.plot.everyNumber),
          ...options(columns.values),
        );
        setChildren(
          series.select,
          h('option', { value: '' }, words.plot.oneLine),
          ...options(columns.series),
        );
      }
      value.select.value = choice.value;
      series.select.value = choice.series ?? '';
      value.element.hidden = columns.values.length < 2;
      series.element.hidden = columns.series.length === 0;
    },
  };
}
