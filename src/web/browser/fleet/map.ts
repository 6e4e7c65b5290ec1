import type { Row } from '../data/load.js';
import { h, setAttribute, setChildren, setText, svg } from '../dom.js';
import type { Words } from '../words/words.js';
import { HEIGHT, landOf, type Place, projection, WIDTH, type ZonePoint } from './projection.js';

export interface ZoneValue extends ZonePoint {
  readonly value: number;
}

/** The points in Manhattan among rows with a zone's columns. */
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

const SMALLEST = 3;
const LARGEST = 16;
/** Zones labelled with their rank: as many as the list next to the map has. */
export const RANKED = 10;

export interface MapOptions {
  readonly words: Words;
  readonly value: (value: number) => string;
  /** A custom property of page.css. */
  readonly colour: string;
}

/**
 * A map of Manhattan drawn from the points of its zones, with a circle for each value. A circle shows its name on hover, and
 * with the arrow keys, from the largest to the smallest. New values change the circles in place.
 */
export class ZoneMap {
  readonly element: HTMLElement;
  readonly #options: MapOptions;
  readonly #land = svg('g', { class: 'land', 'aria-hidden': true });
  readonly #zones: SVGGElement;
  readonly #ranks = svg('g', { class: 'ranks', 'aria-hidden': true });
  readonly #reading = h('p', { class: 'reading', 'aria-hidden': true });
  readonly #circles = new Map<string, SVGCircleElement>();
  /** The circle under the pointer or the keyboard focus. */
  #read: SVGCircleElement | null = null;

  constructor(options: MapOptions) {
    this.#options = options;
    this.#zones = svg('g', {
      role: 'group',
      class: 'zones',
      onkeydown: (event: KeyboardEvent) => this.#move(event),
    });
    this.#zones.style.color = `var(${options.colour})`;
    const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}` }, this.#land, this.#zones, this.#ranks);
    this.element = h('div', { class: 'map' }, picture, this.#reading);
  }

  show(land: readonly ZonePoint[], values: readonly ZoneValue[], label: string): void {
    if (values.length === 0) return;
    const project = projection(land.length > 0 ? land : values);
    setAttribute(this.#zones, 'aria-label', label);
    setChildren(this.#land, landOf(land, project));
    // Small circles are drawn over large ones.
    const zones = [...values].sort((a, b) => b.value - a.value);
    const largest = Math.max(1, zones[0]!.value);
    const circles = zones.map((zone) => this.#circle(zone, project(zone), zone.value / largest));
    this.#arrange(circles);
    setChildren(
      this.#ranks,
      zones.slice(0, RANKED).map((zone, index) => {
        const { x, y } = project(zone);
        return zone.value > 0 && svg('text', { x: x.toFixed(1), y: (y + 4).toFixed(1) }, index + 1);
      }),
    );
    this.#showReading(this.#read);
  }

  /** Creates or updates the zone's circle; `part`: its value relative to the largest. */
  #circle({ id, zone, value }: ZoneValue, { x, y }: Place, part: number): SVGCircleElement {
    let circle = this.#circles.get(id);
    if (circle === undefined) {
      circle = this.#createCircle();
      this.#circles.set(id, circle);
    }
    const text = this.#options.words.fleet.zoneValue(zone, this.#options.value(value));
    // The eye compares areas, not radii.
    const radius = value <= 0 ? SMALLEST / 2 : SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(part);
    setAttribute(circle, 'cx', x.toFixed(1));
    setAttribute(circle, 'cy', y.toFixed(1));
    setAttribute(circle, 'r', radius.toFixed(1));
    setAttribute(circle, 'class', value > 0 ? 'zone' : 'zone none');
    setAttribute(circle, 'aria-label', text);
    setText(circle.firstElementChild!, text);
    return circle;
  }

  #createCircle(): SVGCircleElement {
    const circle = svg('circle', { role: 'img', tabindex: -1 }, svg('title'));
    const enter = () => this.#showReading(circle);
    const leave = () => this.#showReading(null);
    circle.addEventListener('pointerenter', enter);
    circle.addEventListener('pointerleave', leave);
    circle.addEventListener('focus', enter);
    circle.addEventListener('blur', leave);
    return circle;
  }

  /** Puts circles into this order in the document without losing the focus. */
  #arrange(circles: readonly SVGCircleElement[]): void {
    const focused = circles.find((circle) => circle === document.activeElement);
    const isSame = circles.every((circle, index) => circle === this.#zones.children[index]);
    if (!isSame || circles.length !== this.#zones.children.length) this.#zones.replaceChildren(...circles);
    const reached =
      focused ?? circles.find((circle) => circle.getAttribute('tabindex') === '0') ?? circles[0]!;
    for (const circle of circles) setAttribute(circle, 'tabindex', circle === reached ? 0 : -1);
    focused?.focus({ preventScroll: true });
  }

  #showReading(circle: SVGCircleElement | null): void {
    this.#read = circle;
    setText(this.#reading, circle?.getAttribute('aria-label') ?? '');
  }

  #move(event: KeyboardEvent): void {
    const circles = [...this.#zones.children] as SVGCircleElement[];
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
    for (const [index, circle] of circles.entries())
      setAttribute(circle, 'tabindex', index === next ? 0 : -1);
    circles[next]!.focus();
  }
}
