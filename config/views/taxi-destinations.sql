-- The next zone of every taxi in the table, by id and name, both empty while the taxi is unassigned. A zone that is not
-- on the city's list has its id as its name.
-- keys: taxi_id
SELECT
  taxi_id,
  nullif(trim(CAST(next_zone_id AS VARCHAR)), '') AS zone_id,
  coalesce(zone, nullif(trim(CAST(next_zone_id AS VARCHAR)), '')) AS zone
FROM "taxi-destination-dynamodb"
LEFT JOIN "zone-names" ON written = lower(trim(CAST(next_zone_id AS VARCHAR)))
ORDER BY taxi_id
