import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

/** What a zone is used for: decides when people leave it and arrive there. */
export type ZoneKind = 'business' | 'home' | 'night' | 'hub' | 'leisure';

export interface Zone {
  readonly id: number;
  readonly kind: ZoneKind;
  /** Fares relative to the other zones; 0 where no taxi drives. */
  readonly weight: number;
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * The 69 Manhattan zones of the NYC taxi zone list: kind and weight, in the order of magnitude of the yellow
 * taxis' published trip records. The harbour islands (103–105) have no streets for a taxi.
 */
const MANHATTAN: Record<ZoneKind, Record<number, number>> = {
  business: {
    13: 35,
    45: 30,
    87: 50,
    88: 36,
    90: 88,
    100: 86,
    125: 42,
    137: 66,
    161: 180,
    162: 160,
    163: 125,
    164: 105,
    170: 140,
    209: 24,
    231: 74,
    233: 66,
    246: 76,
    261: 52,
  },
  home: {
    24: 20,
    41: 22,
    42: 14,
    74: 26,
    75: 46,
    116: 10,
    120: 2,
    127: 4,
    128: 1,
    140: 86,
    141: 118,
    143: 68,
    151: 54,
    152: 8,
    153: 1,
    166: 28,
    202: 2,
    224: 26,
    229: 82,
    232: 15,
    236: 190,
    237: 200,
    238: 104,
    239: 130,
    243: 6,
    244: 13,
    262: 72,
    263: 100,
  },
  night: {
    4: 24,
    48: 122,
    50: 62,
    79: 112,
    107: 104,
    113: 72,
    114: 64,
    144: 50,
    148: 58,
    158: 58,
    211: 58,
    249: 98,
  },
  hub: { 68: 98, 142: 132, 186: 140, 230: 136, 234: 124 },
  leisure: { 12: 6, 43: 60, 103: 0, 104: 0, 105: 0, 194: 2 },
};

/** Activity of each kind of zone by hour, on weekdays and on weekends: 24 digits, 0 to 9. */
const LEAVING: Record<ZoneKind, readonly [weekday: string, weekend: string]> = {
  business: ['211112344556667899987543', '322211112334455555554443'],
  home: ['211113799865555555655432', '432211123567776665655443'],
  night: ['643211233344444455678999', '996532112344455556678999'],
  hub: ['432124678876666788998876', '443212234567888888887765'],
  leisure: ['111112345678888887654322', '211111123468999998754322'],
};
const ARRIVING: Record<ZoneKind, readonly [weekday: string, weekend: string]> = {
  business: ['211113689987777665544322', '211111123445555555543322'],
  home: ['764322223344455667899998', '986543222345566777788889'],
  night: ['754211122334455556899998', '875421112335566667899999'],
  hub: ['322236888877777899987654', '322123455677777778876543'],
  leisure: ['111112345788888765432211', '111111235799999876543211'],
};

/** 0–9 for leaving from and arriving at such a zone at that hour. */
export function liveliness(
  kind: ZoneKind,
  direction: 'leaving' | 'arriving',
  hour: number,
  weekend: boolean,
) {
  const digits = (direction === 'leaving' ? LEAVING : ARRIVING)[kind][weekend ? 1 : 0];
  return Number(digits[hour]);
}

/** The Manhattan zones with their locations, by id. `path`: the taxi zones' lookup, `config/lookups/zones.csv`. */
export function readManhattan(path: string | URL): Zone[] {
  const places = new Map<number, { latitude: number; longitude: number }>();
  for (const row of parse(readFileSync(path), { columns: true }) as Record<string, string>[]) {
    places.set(Number(row.zone_id), { latitude: Number(row.latitude), longitude: Number(row.longitude) });
  }
  const zones = Object.entries(MANHATTAN).flatMap(([kind, weights]) =>
    Object.entries(weights).map(([id, weight]) => {
      const place = places.get(Number(id));
      if (place === undefined) throw new Error(`zone ${id} is missing in ${path}`);
      return { id: Number(id), kind: kind as ZoneKind, weight, ...place };
    }),
  );
  return zones.sort((a, b) => a.id - b.id);
}

/** Distance in kilometres along Manhattan's grid (as the crow flies, a quarter longer). */
export function kilometres(from: Zone, to: Zone): number {
  const north = (to.latitude - from.latitude) * 111.2;
  const east = (to.longitude - from.longitude) * 84.3;
  return Math.hypot(north, east) * 1.25;
}
