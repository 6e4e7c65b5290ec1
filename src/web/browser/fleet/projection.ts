import { svg } from '../dom.js';

export interface ZonePoint {
  readonly id: string;
  readonly zone: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The width of the picture, in its own units. */
export const WIDTH = 300;
export const HEIGHT = 760;
const MARGIN = 26;
/** The island is tilted on a map; rotated by the angle of its avenues it fills a narrow picture. */
const AVENUES = (29 * Math.PI) / 180;
/** Zones with points closer than this, relative to the island's length, are connected by land. */
const NEIGHBOURS = 0.075;

/** Maps a point of the city to the picture. */
export type Projection = (point: ZonePoint) => Place;

/** The projection that shows all these points. */
export function projection(points: readonly ZonePoint[]): Projection {
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

/** Land drawn from points alone: wide strokes between neighbours. */
export function landOf(points: readonly ZonePoint[], project: Projection): SVGPathElement {
  const places = points.map(project);
  const reach = NEIGHBOURS * HEIGHT;
  const strokes = places.flatMap((a, index) =>
    places
      .slice(index)
      .filter((b) => Math.hypot(a.x - b.x, a.y - b.y) <= reach)
      .map((b) => `M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}`),
  );
  return svg('path', { d: strokes.join('') });
}
