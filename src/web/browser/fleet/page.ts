import type { MapOf, Route } from '../address.js';
import type { Context, Page } from '../context.js';
import { loadTable, type Row } from '../data/load.js';
import { h, newId, setAttribute, setChildren, setText } from '../dom.js';
import { Plot } from '../parts/plot.js';
import type { CatalogueJson, DatasetJson } from '../types.js';
import { type FleetData, numberOf, READINGS, type Reading } from './data.js';
import { figures } from './figures.js';
import { RANKED, ZoneMap, zonePoints } from './map.js';
import { weekTable } from './week.js';

/** A third of the screen: most of it on a wall, no more than it needs on a phone. */
const courseHeight = () => Math.round(Math.max(240, Math.min(480, innerHeight * 0.34)));

/** Milliseconds: views also change as time passes; once a minute is enough if no poll changes them. */
const OLDEST = 60_000;

/** Whether this service has any dataset that the page can show. */
export function hasFleet(datasets: readonly DatasetJson[]): boolean {
  return datasets.some(({ name }) => name === 'rides-today' || name === 'destinations-per-zone');
}

/** The fleet, from its views. Each part is shown if its view exists. */
export class FleetPage implements Page {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #figures;
  readonly #course;
  readonly #map;
  readonly #week;
  readonly #closing = new AbortController();
  readonly #failure = h('p', { class: 'failure', role: 'alert', hidden: true });
  #mapOf: MapOf;
  #data: FleetData = {};
  /** State of the dataset when it was last asked, and when that was. */
  #asked = new Map<Reading, { readonly state: string; readonly at: number }>();

  constructor(context: Context, mapOf: MapOf) {
    const { words } = context;
    this.#context = context;
    this.#mapOf = mapOf;
    this.title = words.pages.fleet;
    this.#figures = figures(context);
    this.#course = coursePanel(context);
    this.#map = mapPanel(context, (map) => context.go({ page: 'fleet', map }));
    this.#week = weekTable(context);
    this.element = h(
      'div',
      { class: 'fleet' },
      h('h1', { class: 'visually-hidden' }, words.pages.fleet),
      this.#failure,
      this.#figures.element,
      h('div', { class: 'panels' }, this.#course.element, this.#map.element, this.#week.element),
    );
  }

  show({ datasets }: CatalogueJson): void {
    const now = performance.now();
    for (const reading of Object.keys(READINGS) as Reading[]) {
      const dataset = datasets.find(({ name }) => name === nameOf(reading));
      if (dataset === undefined || dataset.freshness === 'waiting') continue;
      const state = `${dataset.version} ${dataset.readAt}`;
      const asked = this.#asked.get(reading);
      if (asked !== undefined && asked.state === state && now - asked.at < OLDEST) continue;
      this.#asked.set(reading, { state, at: now });
      void this.#ask(reading);
    }
    this.#draw();
  }

  navigate(route: Route): boolean {
    if (route.page !== 'fleet') return false;
    this.#mapOf = route.map;
    this.#draw();
    return true;
  }

  tick(): void {}

  close(): void {
    this.#closing.abort();
    this.#course.close();
  }

  async #ask(reading: Reading): Promise<void> {
    try {
      const rows = await loadTable(this.#context.api, `csv/${READINGS[reading]}`, this.#closing.signal);
      this.#data = { ...this.#data, [reading]: rows };
      this.#failure.hidden = true;
      this.#draw();
    } catch (reason) {
      if (this.#closing.signal.aborted) return;
      this.#failure.hidden = false;
      setText(this.#failure, this.#context.words.fleet.failed(nameOf(reading), (reason as Error).message));
    }
  }

  #draw(): void {
    this.#figures.show(this.#data);
    this.#course.show(this.#data);
    this.#map.show(this.#data, this.#mapOf);
    this.#week.show(this.#data);
  }
}

function nameOf(reading: Reading): string {
  return READINGS[reading].split('?')[0]!;
}

function coursePanel({ words, format, timeZone, language, link }: Context) {
  const id = newId();
  const summary = h('p', { class: 'summary' });
  const element = h('section', { class: 'panel course', 'aria-labelledby': id, hidden: true });
  const plot = new Plot({
    label: words.fleet.course,
    timeZone,
    language,
    height: courseHeight(),
    value: (value) => format.number(value),
    time: (time) => format.clock(time),
    onZoom: null,
  });
  element.append(
    h(
      'h2',
      { id },
      h(
        'a',
        { href: link({ page: 'dataset', name: 'rides-course', plot: null, parameters: [] }) },
        words.fleet.course,
      ),
    ),
    summary,
    plot.element,
  );
  let shown: readonly Row[] | undefined;
  return {
    element,
    close: () => plot.close(),
    show({ course }: FleetData) {
      element.hidden = course === undefined;
      if (course === undefined || course === shown) return;
      shown = course;
      plot.show({
        times: course.map(({ timestamp }) => Date.parse(timestamp ?? '')),
        lines: [
          {
            label: words.fleet.lastWeek,
            values: course.map((row) => numberOf(row, 'last_week')),
            colour: '--past',
            style: 'dashed',
          },
          {
            label: words.fleet.today,
            values: course.map((row) => numberOf(row, 'today')),
            colour: '--main',
            style: 'area',
          },
        ],
      });
      const latest = course.findLast((row) => numberOf(row, 'today') !== null);
      const [today, before] = [numberOf(latest, 'today'), numberOf(latest, 'last_week')];
      setText(
        summary,
        today === null || before === null || before === 0
          ? ''
          : words.fleet.comparison(format.signed((100 * (today - before)) / before), format.number(before)),
      );
    },
  };
}

function mapPanel({ words, format, link }: Context, choose: (map: MapOf) => void) {
  const id = newId();
  const choices = (['destinations', 'boardings'] as const).map((of) => ({
    of,
    button: h('button', { type: 'button', onclick: () => choose(of) }, words.fleet.maps[of]),
  }));
  const drawings = {
    destinations: new ZoneMap({ words, value: format.number, colour: '--second' }),
    boardings: new ZoneMap({ words, value: format.number, colour: '--main' }),
  };
  const top = h('ol', { class: 'top' });
  const rest = h('p', { class: 'quiet' });
  const title = h('a');
  const element = h(
    'section',
    { class: 'panel zones', 'aria-labelledby': id, hidden: true },
    h('h2', { id }, title),
    h(
      'div',
      { class: 'segments', role: 'group', 'aria-label': words.fleet.mapOf },
      ...choices.map(({ button }) => button),
    ),
    drawings.destinations.element,
    drawings.boardings.element,
    h('div', { class: 'ranking' }, top, rest),
  );
  let shown: unknown[] = [];
  return {
    element,
    show(data: FleetData, of: MapOf) {
      const rows = data[of];
      element.hidden = data.destinations === undefined && data.boardings === undefined;
      for (const { of: one, button } of choices) {
        setAttribute(button, 'aria-pressed', String(one === of));
        button.hidden = data[one] === undefined;
      }
      drawings.destinations.element.hidden = of !== 'destinations';
      drawings.boardings.element.hidden = of !== 'boardings';
      const state = [rows, data.zones, of];
      if (state.every((value, index) => value === shown[index])) return;
      shown = state;
      const column = of === 'destinations' ? 'taxis' : 'boardings';
      const name = of === 'destinations' ? 'destinations-per-zone' : 'boardings-per-zone-today';
      setText(title, words.fleet.mapTitles[of]);
      title.href = link({ page: 'dataset', name, plot: null, parameters: [] });
      const values = new Map((rows ?? []).map((row) => [row.zone_id, numberOf(row, column) ?? 0]));
      const zones = zonePoints(rows ?? []).map((zone) => ({ ...zone, value: values.get(zone.id) ?? 0 }));
      drawings[of].show(zonePoints(data.zones ?? []), zones, words.fleet.mapTitles[of]);
      const all = (rows ?? [])
        .map((row) => ({ zone: row.zone ?? row.zone_id ?? '', value: numberOf(row, column) ?? 0 }))
        .sort((a, b) => b.value - a.value);
      const most = all[0]?.value || 1;
      setChildren(
        top,
        ...all.slice(0, RANKED).map(({ zone, value }) => {
          const bar = h('span', { class: `bar ${of}` });
          bar.style.width = `${(100 * value) / most}%`;
          return h(
            'li',
            {},
            h('span', { class: 'name' }, zone),
            h('span', { class: 'value' }, format.number(value)),
            bar,
          );
        }),
      );
      const others = all.slice(RANKED).reduce((sum, { value }) => sum + value, 0);
      setText(
        rest,
        all.length > RANKED
          ? words.fleet.otherZones(format.number(all.length - RANKED), format.number(others))
          : '',
      );
    },
  };
}
