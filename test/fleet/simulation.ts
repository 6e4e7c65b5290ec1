import { addDays, localDay, midnight } from './local-time.js';

/** What one successful poll found: the counters' values; an item that is not there has none. */
export interface Poll {
  readonly at: number;
  readonly flags: ReadonlyMap<string, number>;
  readonly zones: ReadonlyMap<string, number>;
}

/** A stretch of a fleet's life, and everything that can go wrong with watching it. Fractions are of the whole stretch. */
export interface Story {
  readonly zone: string;
  readonly firstDay: string;
  readonly days: number;
  /** Minutes from poll to poll; up to an hour. */
  readonly interval: number;
  readonly seed: number;
  /** Dispatches an hour at the busiest time. */
  readonly demand: number;
  /** For each night in turn: minutes after local midnight (negative: before), and how. */
  readonly resets: readonly { readonly minute: number; readonly how: 'zero' | 'delete' | 'forgotten' }[];
  /** Times without any successful poll: the service down, restarted later, or DynamoDB out of reach. */
  readonly outages: readonly { readonly start: number; readonly minutes: number }[];
  /** How likely a poll fails, and how likely an item is missing from one. */
  readonly missedPolls: number;
  readonly flicker: number;
  /** Zones with the fraction of the stretch after which they first have an item. */
  readonly zones: readonly { readonly id: string; readonly from: number }[];
}

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The successful polls of that story, oldest first. */
export function simulate(story: Story): Poll[] {
  const random = randomNumbers(story.seed);
  const start = midnight(story.firstDay, story.zone) + 7 * 60_000;
  const end = midnight(addDays(story.firstDay, story.days), story.zone);
  const at = (fraction: number) => start + fraction * (end - start);
  const nights = resetTimes(story, end);
  const flags = new Map<string, number>();
  const zones = new Map<string, number>();
  const polls: Poll[] = [];
  for (let now = start; now < end; now += story.interval * 60_000) {
    drive(story, random, flags, zones, (now - start) / (end - start));
    for (; nights[0] !== undefined && nights[0].at <= now; nights.shift()) {
      for (const counters of [flags, zones]) resetCounters(counters, nights[0].how);
    }
    const out = story.outages.some(
      (outage) => now >= at(outage.start) && now < at(outage.start) + outage.minutes * 60_000,
    );
    if (out || random() < story.missedPolls) continue;
    const seen = (counters: Map<string, number>) =>
      new Map([...counters].filter(() => random() >= story.flicker));
    // A poll's start is never on the minute.
    polls.push({ at: now + Math.floor(random() * 20_000), flags: seen(flags), zones: seen(zones) });
  }
  return polls;
}

function resetTimes(story: Story, end: number): { at: number; how: 'zero' | 'delete' | 'forgotten' }[] {
  const times = [];
  for (
    let night = 1;
    midnight(addDays(story.firstDay, night), story.zone) <= end && story.resets.length > 0;
    night++
  ) {
    const reset = story.resets[night % story.resets.length]!;
    times.push({
      at: midnight(addDays(story.firstDay, night), story.zone) + reset.minute * 60_000,
      how: reset.how,
    });
  }
  return times.sort((a, b) => a.at - b.at);
}

function resetCounters(counters: Map<string, number>, how: 'zero' | 'delete' | 'forgotten'): void {
  if (how === 'delete') counters.clear();
  if (how === 'zero') for (const key of counters.keys()) counters.set(key, 0);
}

/** What happens in the streets between two polls. */
function drive(
  story: Story,
  random: () => number,
  flags: Map<string, number>,
  zones: Map<string, number>,
  progress: number,
): void {
  const add = (counters: Map<string, number>, key: string, more: number) => {
    if (more > 0) counters.set(key, (counters.get(key) ?? 0) + more);
  };
  const known = story.zones.filter((zone) => zone.from <= progress);
  const dispatches = Math.floor(random() * random() * ((story.demand * story.interval) / 60));
  add(flags, 'dispatch', dispatches);
  for (let taxi = 0; taxi < dispatches; taxi++) {
    if (random() > 0.8 || known.length === 0) continue;
    add(flags, 'pickup', 1);
    // Some zones are much busier than others.
    add(zones, known[Math.floor(random() * random() * known.length)]!.id, 1);
  }
}

/** A time of day on the last day that the polls saw: views are asked then. */
export function lateOn(polls: readonly Poll[], zone: string): { now: number; today: string } {
  const now = polls.at(-1)!.at + 12_345;
  return { now, today: localDay(now, zone) };
}
