import type { Row } from '../data/load.js';
import { h, setChildren, svg } from '../dom.js';
import type { Words } from '../words/words.js';

export interface ZonePoint {
  readonly id: string;
  readonly zone: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface ZoneValue extends ZonePoint {
  readonly value: number;
}

/** Points of Manhattan among rows that have the columns of a zone. */
export function zonePoints(rows: readonly Row[]): ZonePoint[] {
  return rows
    .filter(({ borough, latitude, longitude }) => borough === 'Manhattan' && !!latitude && !!longitude)
    .map((row) => ({
      id: row.zone_id ?? '',
      zone: row.zone ?? '',
      latitude: Number(row.latitude),
      longitude: Number(row.longitude),
    }));
}

const WIDTH = 300;
const HEIGHT = 760;
const MARGIN = 26;
/** The island lies askew on a map; turned upright by its avenues' angle it fills a narrow picture. */
const AVENUES = (29 * Math.PI) / 180;
/** Zones whose points are nearer than this share land, in parts of the island's length. */
const NEIGHBOURS = 0.075;
const SMALLEST = 3;
const LARGEST = 16;
/** Zones that have their place in the order written on them: as many as the list beside the map names. */
export const RANKED = 10;

interface Place {
  readonly x: number;
  readonly y: number;
}

export interface MapOptions {
  readonly words: Words;
  readonly value: (value: number) => string;
  /** A custom property of page.css. */
  readonly colour: string;
}

/**
 * Manhattan from the points of its zones alone: wide strokes between neighbours make the land, circles show values.
 * Every circle tells its name on hover, and with the arrow keys, from the largest to the smallest.
 */
export class ZoneMap {
  readonly element: HTMLElement;
  readonly #options: MapOptions;
  readonly #picture = h('div', { class: 'picture' });
  readonly #reading = h('p', { class: 'reading', 'aria-hidden': true });
  /** The zone that the keyboard is on; it stays when values change. */
  #current: string | null = null;

  constructor(options: MapOptions) {
    this.#options = options;
    this.element = h('div', { class: 'map' }, this.#picture, this.#reading);
  }

  show(land: readonly ZonePoint[], values: readonly ZoneValue[], label: string): void {
    if (values.length === 0) return;
    const { words, value, colour } = this.#options;
    const project = projection(land.length > 0 ? land : values);
    const largest = Math.max(1, ...values.map((zone) => zone.value));
    // Areas, not radii, are what the eye compares. Small circles are drawn over large ones.
    const zones = [...values].sort((a, b) => b.value - a.value);
    const circles = zones.map((zone, rank) => {
      const { x, y } = project(zone);
      const r =
        zone.value <= 0 ? SMALLEST / 2 : SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(zone.value / largest);
      const text = words.fleet.zoneValue(zone.zone, value(zone.value));
      const circle = svg('circle', {
        cx: x.toFixed(1),
        cy: y.toFixed(1),
        r: r.toFixed(1),
        class: zone.value > 0 ? 'zone' : 'zone none',
        role: 'img',
        'aria-label': text,
        tabindex: rank === 0 ? 0 : -1,
        'data-zone': zone.id,
        onpointerenter: () => this.#read(text),
        onpointerleave: () => this.#read(''),
        onfocus: () => {
          this.#current = zone.id;
          this.#read(text);
        },
        onblur: () => this.#read(''),
      });
      circle.append(svg('title', {}, text));
      return circle;
    });
    const ranks = zones.slice(0, RANKED).map((zone, index) => {
      const { x, y } = project(zone);
      return zone.value > 0 && svg('text', { x: x.toFixed(1), y: (y + 4).toFixed(1) }, index + 1);
    });
    const group = svg('g', { role: 'group', 'aria-label': label, class: 'zones' }, circles);
    group.style.color = `var(${colour})`;
    group.addEventListener('keydown', (event) => this.#move(event, circles));
    const isFocused = this.#picture.contains(document.activeElement);
    setChildren(
      this.#picture,
      svg(
        'svg',
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
        landOf(land, project),
        group,
        svg('g', { class: 'ranks', 'aria-hidden': true }, ranks),
      ),
    );
    if (isFocused) {
      const current = circles.find(({ dataset }) => dataset.zone === this.#current) ?? circles[0];
      focusOn(circles, current);
    }
  }

  #read(text: string): void {
    this.#reading.textContent = text;
  }

  #move(event: KeyboardEvent, circles: readonly SVGCircleElement[]): void {
    const at = circles.indexOf(event.target as SVGCircleElement);
    const last = circles.length - 1;
    const next = {
      ArrowRight: Math.min(last, at + 1),
      ArrowDown: Math.min(last, at + 1),
      ArrowLeft: Math.max(0, at - 1),
      ArrowUp: Math.max(0, at - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (at === -1 || next === undefined) return;
    event.preventDefault();
    focusOn(circles, circles[next]);
  }
}

function focusOn(circles: readonly SVGCircleElement[], circle: SVGCircleElement | undefined): void {
  for (const one of circles) one.setAttribute('tabindex', one === circle ? '0' : '-1');
  circle?.focus();
}

type Projection = (point: ZonePoint) => Place;

function projection(points: readonly ZonePoint[]): Projection {
  const flat = (point: ZonePoint): Place => {
    const x = point.longitude * Math.cos((40.78 * Math.PI) / 180);
    const y = -point.latitude;
    return {
      x: x * Math.cos(AVENUES) + y * Math.sin(AVENUES),
      y: y * Math.cos(AVENUES) - x * Math.sin(AVENUES),
    };
  };
  const all = points.map(flat);
  const [left, right] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))];
  const [top, bottom] = [Math.min(...all.map(({ y }) => y)), Math.max(...all.map(({ y }) => y))];
  const scale = (HEIGHT - 2 * MARGIN) / (bottom - top || 1);
  const middle = (left + right) / 2;
  return (point) => {
    const { x, y } = flat(point);
    return { x: WIDTH / 2 + (x - middle) * scale, y: MARGIN + (y - top) * scale };
  };
}

function landOf(points: readonly ZonePoint[], project: Projection): SVGGElement {
  const places = points.map(project);
  const reach = NEIGHBOURS * HEIGHT;
  const strokes = places.flatMap((a, index) =>
    places
      .slice(index)
      .filter((b) => Math.hypot(a.x - b.x, a.y - b.y) <= reach)
      .map((b) => `M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}`),
  );
  return svg('g', { class: 'land', 'aria-hidden': true }, svg('path', { d: strokes.join('') }));
}
