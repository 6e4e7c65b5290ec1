/** An item in the document client's form; null is the attribute type NULL. */
export type Item = Readonly<Record<string, string | number | null>>;

/** The four tables of the fleet: their key's name and DynamoDB type. */
export const FLEET_TABLES = {
  'zone-count-dynamodb': { key: 'zone_id', keyType: 'N' },
  'pickup-zone-dynamodb': { key: 'pickup_zone_id', keyType: 'N' },
  'flag-dynamodb': { key: 'counter_type', keyType: 'S' },
  'taxi-destination-dynamodb': { key: 'taxi_id', keyType: 'N' },
} as const;

export type FleetTable = keyof typeof FLEET_TABLES;

export const FLEET_TABLE_NAMES = Object.keys(FLEET_TABLES) as FleetTable[];

/** The rides that customers order: a table with a stream, and a time to live. */
export const ORDERS_TABLE = 'orders';
export const ORDERS_TIME_TO_LIVE = 'expires_at';
