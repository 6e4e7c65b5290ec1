import { LocalClock, nextDate, weekNumber } from './local-time.js';
import type { Random } from './random.js';
import { chance } from './random.js';
import { kilometres, liveliness, type Zone } from './zones.js';

/** Demand for each hour of the day, relative to the busiest. */
const WEEKDAY = [
  0.2, 0.12, 0.08, 0.06, 0.07, 0.14, 0.38, 0.74, 0.92, 0.78, 0.62, 0.58, 0.62, 0.62, 0.62, 0.6, 0.62, 0.82, 1,
  0.98, 0.8, 0.66, 0.48, 0.32,
];
const WEEKEND = [
  0.66, 0.56, 0.44, 0.3, 0.16, 0.1, 0.12, 0.2, 0.34, 0.5, 0.62, 0.7, 0.74, 0.74, 0.72, 0.72, 0.76, 0.84, 0.94,
  0.92, 0.84, 0.82, 0.84, 0.78,
];
/** Sunday … Saturday. */
const WEEKDAY_FACTOR = [0.72, 0.86, 0.94, 1, 1.06, 1.2, 1.18];

/** Average seconds that an empty taxi cruises in the busiest hour before it finds a passenger or gives up. */
const BUSIEST_WAIT = 420;
const MINUTE = 60;

/** In each slot of twenty minutes, the dispatcher leaves taxis without a zone for a few minutes. */
const BOUT_SLOT = 20 * MINUTE * 1_000;

/** What all days share: the zones, the roads between them, and where people go at which hour. */
export class City {
  readonly zones: readonly Zone[];
  readonly clock: LocalClock;
  readonly seed: number;
  readonly #distance: readonly Float64Array[];
  readonly #targets = new Map<number, Float64Array>();

  constructor(options: {
    readonly zones: readonly Zone[];
    readonly timeZone: string;
    readonly seed: number;
  }) {
    this.zones = options.zones;
    this.clock = new LocalClock(options.timeZone);
    this.seed = options.seed;
    this.#distance = this.zones.map((from) => Float64Array.from(this.zones, (to) => kilometres(from, to)));
  }

  /** The nightly batch of that date, at about 3 o'clock local time, in milliseconds since the epoch. */
  resetOf(date: string): number {
    return this.clock.timeOf(date, 3) + Math.floor(chance(this.seed, 'reset', date) * 600) * 1_000;
  }

  /** The date whose reset was the last one at that time. */
  fleetDate(time: number): string {
    const { date } = this.clock.at(time);
    return time < this.resetOf(date) ? nextDate(date, -1) : date;
  }

  /** Driving time in seconds between two zones (indexes), longer in traffic. */
  drive(from: number, to: number, level: number, random: Random): number {
    const speed = 17 - 3 * level;
    const seconds = 50 + (this.#distance[from]![to]! / speed) * 3_600;
    return Math.round(seconds * (0.75 + 0.5 * random.next()));
  }

  /** Where the dispatcher sends an empty taxi (`leaving`), or where its passenger wants to go (`arriving`). */
  target(direction: 'leaving' | 'arriving', from: number, hour: number, weekend: boolean, random: Random) {
    const key = ((from * 24 + hour) * 2 + (weekend ? 1 : 0)) * 2 + (direction === 'leaving' ? 1 : 0);
    let cumulative = this.#targets.get(key);
    if (cumulative === undefined) {
      cumulative = this.#cumulative(direction, from, hour, weekend);
      this.#targets.set(key, cumulative);
    }
    const wanted = random.next() * cumulative[cumulative.length - 1]!;
    return firstAbove(cumulative, wanted);
  }

  /** A gravity model: busy and near zones are likelier. Passengers travel farther than empty taxis. */
  #cumulative(direction: 'leaving' | 'arriving', from: number, hour: number, weekend: boolean): Float64Array {
    const reach = direction === 'leaving' ? 1.6 : 3.4;
    let sum = 0;
    return Float64Array.from(this.zones, (zone, to) => {
      const near = Math.exp(-this.#distance[from]![to]! / reach);
      const itself = direction === 'arriving' && to === from ? 0.15 : 1;
      sum += zone.weight * (1 + liveliness(zone.kind, direction, hour, weekend)) * near * itself;
      return sum;
    });
  }
}

/** One fleet day, from one nightly reset to the next: a pure function of the city's seed and the date. */
export class CityDay {
  readonly date: string;
  /** Milliseconds since the epoch of this reset and of the next one. */
  readonly start: number;
  readonly end: number;
  /** How the nightly batch that began this day reset the counters. */
  readonly reset: 'zero' | 'delete';
  readonly #city: City;
  /** Per minute since the start. */
  readonly #level: Float64Array;
  readonly #hour: Uint8Array;
  readonly #weekend: Uint8Array;
  /** Cumulative demand at the end of each minute, in units of one average wait. */
  readonly #demand: Float64Array;
  readonly #success: number;
  readonly #zoneSuccess: Float64Array;
  readonly #bouts: readonly { readonly from: number; readonly to: number }[];

  constructor(city: City, date: string) {
    this.#city = city;
    this.date = date;
    this.start = city.resetOf(date);
    this.end = city.resetOf(nextDate(date, 1));
    this.reset = (Date.parse(date) / 86_400_000) % 2 === 0 ? 'zero' : 'delete';
    const minutes = Math.ceil((this.end - this.start) / 60_000) + 1;
    this.#level = new Float64Array(minutes);
    this.#hour = new Uint8Array(minutes);
    this.#weekend = new Uint8Array(minutes);
    this.#demand = new Float64Array(minutes);
    this.#fillMinutes();
    this.#success = daySuccess(city.seed, date);
    this.#zoneSuccess = Float64Array.from(
      city.zones,
      (zone) =>
        0.1 * (chance(city.seed, 'zone', zone.id) - 0.5) + 0.04 * (chance(city.seed, date, zone.id) - 0.5),
    );
    this.#bouts = this.#drawBouts();
  }

  /** Share of the busiest hour's demand at that second of the day. */
  level(second: number): number {
    return this.#level[this.#minute(second)]!;
  }

  dispatchTarget(from: number, second: number, random: Random): number {
    const minute = this.#minute(second);
    return this.#city.target('leaving', from, this.#hour[minute]!, this.#weekend[minute] === 1, random);
  }

  rideTarget(from: number, second: number, random: Random): number {
    const minute = this.#minute(second);
    return this.#city.target('arriving', from, this.#hour[minute]!, this.#weekend[minute] === 1, random);
  }

  /** When a taxi cruising since `second` finds a passenger or gives up: sooner while demand is high. */
  fareAfter(second: number, random: Random): number {
    const from = this.#minute(second);
    const before = from === 0 ? 0 : this.#demand[from - 1]!;
    const inside = (second % MINUTE) / MINUTE;
    const wanted = before + (this.#demand[from]! - before) * inside + random.exponential(1);
    const minute = firstAbove(this.#demand, wanted);
    return Math.max(second + 1, minute * MINUTE + random.between(0, 59));
  }

  /** Whether a dispatched taxi finds its passenger there. */
  succeeds(zone: number, second: number, random: Random): boolean {
    const rate = this.#success + this.#zoneSuccess[zone]! + 0.08 * (this.level(second) - 0.65);
    return random.next() < Math.min(0.95, Math.max(0.35, rate));
  }

  /** While the dispatcher leaves taxis without a zone, the second at which that ends; otherwise null. */
  boutEnd(second: number): number | null {
    const slot = Math.floor((this.start + second * 1_000) / BOUT_SLOT) - Math.floor(this.start / BOUT_SLOT);
    const bout = this.#bouts[slot];
    return bout !== undefined && second >= bout.from && second < bout.to ? bout.to : null;
  }

  #minute(second: number): number {
    return Math.min(Math.floor(second / MINUTE), this.#level.length - 1);
  }

  #fillMinutes(): void {
    const busy = 0.9 + 0.2 * chance(this.#city.seed, 'demand', this.date);
    let demand = 0;
    for (let minute = 0; minute < this.#level.length; minute += 1) {
      // Offsets only change on whole quarters of an hour; in between, local time advances evenly.
      const time = this.start + minute * 60_000;
      const quarter = time - (time % 900_000);
      const local = minute === 0 || time - quarter < 60_000 ? this.#city.clock.at(quarter) : null;
      this.#hour[minute] = local?.hour ?? this.#hour[minute - 1]!;
      this.#weekend[minute] = local === null ? this.#weekend[minute - 1]! : isWeekend(local.weekday) ? 1 : 0;
      const curve = this.#weekend[minute] === 1 ? WEEKEND : WEEKDAY;
      const hour = this.#hour[minute]!;
      const part = ((time / 60_000) % 60) / 60;
      const weekday = WEEKDAY_FACTOR[local?.weekday ?? new Date(this.date).getUTCDay()]!;
      this.#level[minute] = (curve[hour]! * (1 - part) + curve[(hour + 1) % 24]! * part) * busy * weekday;
      demand += (this.#level[minute]! * MINUTE) / BUSIEST_WAIT;
      this.#demand[minute] = demand;
    }
  }

  #drawBouts() {
    const first = Math.floor(this.start / BOUT_SLOT);
    const last = Math.floor(this.end / BOUT_SLOT);
    return Array.from({ length: last - first + 1 }, (_, index) => {
      const slotStart = ((first + index) * BOUT_SLOT - this.start) / 1_000;
      const from = slotStart + Math.floor(chance(this.#city.seed, 'bout', first + index) * 15 * MINUTE);
      return {
        from,
        to: from + 2 * MINUTE + Math.floor(chance(this.#city.seed, 'lasts', first + index) * 2 * MINUTE),
      };
    });
  }
}

/** The share of dispatches that end in a pickup: 62 to 82 percent, drifting from week to week. */
function daySuccess(seed: number, date: string): number {
  const week = weekNumber(date);
  const drift = 0.04 * Math.sin(week / 2.3) + 0.06 * (chance(seed, 'week', week) - 0.5);
  return 0.72 + drift + 0.03 * (chance(seed, 'day', date) - 0.5);
}

function isWeekend(weekday: number): boolean {
  return weekday === 0 || weekday === 6;
}

/** Index of the first number above `wanted` in an ascending list; the last index when there is none. */
function firstAbove(ascending: Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
