import { type City, CityDay } from './city.js';
import { nextDate } from './local-time.js';
import { Random, seedOf } from './random.js';
import type { FleetTable, Item } from './tables.js';

export const TAXIS = 2_000;

/** The writes that bring a table to the fleet's present state. */
export interface TableWrites {
  readonly table: FleetTable;
  readonly puts: readonly Item[];
  /** Key values of the items to delete. */
  readonly deletes: readonly (string | number)[];
}

/** Heading: empty, on its way to a zone or cruising there. Riding: with a passenger. */
const HEADING = 0;
const RIDING = 1;
const UNASSIGNED = 2;

const NOWHERE = -1;
const ABSENT = -1;

/**
 * 2,000 taxis in Manhattan, second by second, and the four tables that their dispatcher keeps about them.
 *
 * A pure function of the seed and the time: each fleet day, from one nightly reset to the next, is simulated from its
 * own seed. The past and the live fleet share one model, so a demo that is restarted tomorrow continues as if the
 * fleet had kept driving. The result does not depend on how often `advanceTo` is called.
 */
export class Fleet {
  readonly #city: City;
  #day: CityDay;
  #random: Random;
  /** Seconds of the day simulated so far. */
  #second = 0;

  readonly #state = new Uint8Array(TAXIS);
  /** Zone indexes: the current or last zone, and the next one. */
  readonly #zone = new Int16Array(TAXIS);
  readonly #next = new Int16Array(TAXIS);
  /** Taxis that `unassign` shows without a next zone; the model itself drives on. */
  readonly #held = new Uint8Array(TAXIS);

  /** Events by second: the first taxi of each second, and for each taxi the next one of the same second. */
  #events = new Int32Array(0);
  readonly #sameSecond = new Int32Array(TAXIS);

  readonly #heading: Int32Array;
  readonly #boarded: Int32Array;
  #dispatches = ABSENT;
  #pickups = ABSENT;

  readonly #changedTaxis = new Set<number>();
  readonly #changedHeading = new Set<number>();
  readonly #changedBoarded = new Set<number>();
  #changedFlags = false;

  /** The fleet at `time`, in milliseconds since the epoch. */
  constructor(city: City, time: number) {
    this.#city = city;
    this.#heading = new Int32Array(city.zones.length);
    this.#boarded = new Int32Array(city.zones.length).fill(ABSENT);
    this.#day = new CityDay(city, city.fleetDate(time));
    this.#random = new Random(0);
    this.#beginDay();
    this.advanceTo(time);
    this.takeWrites();
  }

  /** How far the fleet has driven: milliseconds since the epoch, a whole second. */
  get time(): number {
    return this.#day.start + this.#second * 1_000;
  }

  /** Advances to `time`; does nothing when it is in the past. */
  advanceTo(time: number): void {
    while (time >= this.#day.end) {
      this.#run(Math.floor((this.#day.end - this.#day.start) / 1_000) - 1);
      this.#day = new CityDay(this.#city, nextDate(this.#day.date, 1));
      this.#beginDay();
    }
    this.#run(Math.floor((time - this.#day.start) / 1_000));
  }

  /** A table's current items, in key order. */
  items(table: FleetTable): Item[] {
    switch (table) {
      case 'taxi-destination-dynamodb':
        return Array.from(this.#state, (_, taxi) => this.#taxiItem(taxi));
      case 'zone-count-dynamodb':
        return Array.from(this.#heading, (_, zone) => this.#headingItem(zone));
      case 'pickup-zone-dynamodb':
        return this.#boardedItems(this.#boarded.keys());
      case 'flag-dynamodb':
        return this.#flagItems();
    }
  }

  /** What changed since the last call (or since the start), table by table; tables without a change are left out. */
  takeWrites(): TableWrites[] {
    const boarded = [...this.#changedBoarded];
    const flags = this.#changedFlags ? this.#flagItems() : [];
    const writes: TableWrites[] = [
      {
        table: 'taxi-destination-dynamodb',
        puts: Array.from(this.#changedTaxis, (taxi) => this.#taxiItem(taxi)),
        deletes: [],
      },
      {
        table: 'zone-count-dynamodb',
        puts: Array.from(this.#changedHeading, (zone) => this.#headingItem(zone)),
        deletes: [],
      },
      {
        table: 'pickup-zone-dynamodb',
        puts: this.#boardedItems(boarded),
        deletes: boarded
          .filter((zone) => this.#boarded[zone] === ABSENT)
          .map((zone) => this.#city.zones[zone]!.id),
      },
      {
        table: 'flag-dynamodb',
        puts: flags,
        deletes: this.#changedFlags
          ? ['dispatch', 'pickup'].filter((type) => !flags.some((item) => item.counter_type === type))
          : [],
      },
    ];
    this.#changedTaxis.clear();
    this.#changedHeading.clear();
    this.#changedBoarded.clear();
    this.#changedFlags = false;
    return writes.filter(({ puts, deletes }) => puts.length + deletes.length > 0);
  }

  /** Shows up to this many empty taxis without a next zone until `reassign`. Counters and the model are unaffected. */
  unassign(count: number): void {
    const empty = [...this.#state.keys()].filter(
      (taxi) => this.#state[taxi] === HEADING && this.#held[taxi] === 0,
    );
    const step = Math.max(1, Math.floor(empty.length / count));
    for (const taxi of empty.filter((_, index) => index % step === 0).slice(0, count)) {
      this.#move(taxi, () => {
        this.#held[taxi] = 1;
      });
    }
  }

  /** Undoes `unassign`. */
  reassign(): void {
    for (const taxi of this.#held.keys()) {
      if (this.#held[taxi] === 0) continue;
      this.#move(taxi, () => {
        this.#held[taxi] = 0;
      });
    }
  }

  #run(second: number): void {
    while (this.#second < second) {
      this.#second += 1;
      let taxi = this.#events[this.#second]! - 1;
      while (taxi >= 0) {
        const following = this.#sameSecond[taxi]! - 1;
        this.#happen(taxi);
        taxi = following;
      }
    }
  }

  #happen(taxi: number): void {
    if (this.#state[taxi] === RIDING) {
      this.#zone[taxi] = this.#next[taxi]!;
      this.#free(taxi);
    } else if (this.#state[taxi] === UNASSIGNED) {
      this.#dispatch(taxi);
    } else {
      this.#zone[taxi] = this.#next[taxi]!;
      if (this.#day.succeeds(this.#zone[taxi]!, this.#second, this.#random)) this.#board(taxi);
      else this.#free(taxi);
    }
  }

  #free(taxi: number): void {
    const boutEnd = this.#day.boutEnd(this.#second);
    if (boutEnd === null || this.#random.next() > 0.08) {
      this.#dispatch(taxi);
      return;
    }
    this.#move(taxi, () => {
      this.#state[taxi] = UNASSIGNED;
      this.#next[taxi] = NOWHERE;
    });
    this.#schedule(taxi, boutEnd + this.#random.between(0, 30));
  }

  #dispatch(taxi: number): void {
    const from = this.#zone[taxi]!;
    const to = this.#day.dispatchTarget(from, this.#second, this.#random);
    this.#dispatches = Math.max(this.#dispatches, 0) + 1;
    this.#changedFlags = true;
    this.#move(taxi, () => {
      this.#state[taxi] = HEADING;
      this.#next[taxi] = to;
    });
    const arrival = this.#second + this.#city.drive(from, to, this.#day.level(this.#second), this.#random);
    this.#schedule(taxi, this.#day.fareAfter(arrival, this.#random));
  }

  #board(taxi: number): void {
    const from = this.#zone[taxi]!;
    const to = this.#day.rideTarget(from, this.#second, this.#random);
    this.#boarded[from] = Math.max(this.#boarded[from]!, 0) + 1;
    this.#changedBoarded.add(from);
    this.#pickups = Math.max(this.#pickups, 0) + 1;
    this.#changedFlags = true;
    this.#move(taxi, () => {
      this.#state[taxi] = RIDING;
      this.#next[taxi] = to;
    });
    const ride = 90 + this.#city.drive(from, to, this.#day.level(this.#second), this.#random);
    this.#schedule(taxi, this.#second + ride);
  }

  /** Updates a taxi and the number of empty taxis heading to each zone. */
  #move(taxi: number, change: () => void): void {
    this.#countHeading(taxi, -1);
    change();
    this.#countHeading(taxi, 1);
    this.#changedTaxis.add(taxi);
  }

  #countHeading(taxi: number, difference: number): void {
    if (this.#state[taxi] !== HEADING || this.#held[taxi] === 1) return;
    const zone = this.#next[taxi]!;
    this.#heading[zone] = this.#heading[zone]! + difference;
    this.#changedHeading.add(zone);
  }

  #schedule(taxi: number, second: number): void {
    // Events after the next reset belong to the next day, which is simulated from its own seed.
    if (second >= this.#events.length) return;
    this.#sameSecond[taxi] = this.#events[second]!;
    this.#events[second] = taxi + 1;
  }

  /** The nightly batch: resets counters, by zeroing or deleting them, and places the taxis by the new day's seed. */
  #beginDay(): void {
    const { start, end, date, reset } = this.#day;
    this.#random = new Random(seedOf(this.#city.seed, 'fleet', date));
    this.#events = new Int32Array(Math.floor((end - start) / 1_000));
    this.#second = 0;
    this.#heading.fill(0);
    for (const [index, zone] of this.#city.zones.entries()) {
      this.#boarded[index] = reset === 'zero' && zone.weight > 0 ? 0 : ABSENT;
      this.#changedBoarded.add(index);
      this.#changedHeading.add(index);
    }
    this.#dispatches = this.#pickups = reset === 'zero' ? 0 : ABSENT;
    this.#changedFlags = true;
    for (let taxi = 0; taxi < TAXIS; taxi += 1) this.#place(taxi);
  }

  #place(taxi: number): void {
    const random = this.#random;
    const anywhere = random.between(0, this.#city.zones.length - 1);
    this.#zone[taxi] = this.#day.rideTarget(anywhere, 0, random);
    this.#state[taxi] = random.next() < 0.2 ? RIDING : HEADING;
    const riding = this.#state[taxi] === RIDING;
    const target = riding ? 'rideTarget' : 'dispatchTarget';
    this.#next[taxi] = this.#day[target](this.#zone[taxi]!, 0, random);
    this.#countHeading(taxi, 1);
    this.#changedTaxis.add(taxi);
    this.#schedule(taxi, riding ? random.between(1, 900) : this.#day.fareAfter(0, random));
  }

  /** A taxi without a next zone has the attribute as NULL or not at all; real tables have both. */
  #taxiItem(taxi: number): Item {
    const taxi_id = taxi + 1;
    const zone = this.#held[taxi] === 1 ? NOWHERE : this.#next[taxi]!;
    if (zone !== NOWHERE) return { taxi_id, next_zone_id: this.#city.zones[zone]!.id };
    return taxi % 2 === 0 ? { taxi_id } : { taxi_id, next_zone_id: null };
  }

  #headingItem(zone: number): Item {
    return { zone_id: this.#city.zones[zone]!.id, count: this.#heading[zone]! };
  }

  #boardedItems(zones: Iterable<number>): Item[] {
    return Array.from(zones)
      .filter((zone) => this.#boarded[zone] !== ABSENT)
      .map((zone) => ({ pickup_zone_id: this.#city.zones[zone]!.id, count: this.#boarded[zone]! }));
  }

  #flagItems(): Item[] {
    const items: Item[] = [];
    if (this.#dispatches !== ABSENT) items.push({ counter_type: 'dispatch', count: this.#dispatches });
    if (this.#pickups !== ABSENT) items.push({ counter_type: 'pickup', count: this.#pickups });
    return items;
  }
}
