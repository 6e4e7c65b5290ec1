-- Where each taxi goes next, by name: every taxi in the table, with its next zone's id and name, both empty while the taxi
-- is unassigned. A zone that is not on the city's list keeps its id as its name.
-- keys: taxi_id
SELECT
  taxi_id,
  nullif(trim(CAST(next_zone_id AS VARCHAR)), '') AS zone_id,
  coalesce(zone, nullif(trim(CAST(next_zone_id AS VARCHAR)), '')) AS zone
FROM "taxi-destination-dynamodb"
LEFT JOIN "zone-names" ON written = lower(trim(CAST(next_zone_id AS VARCHAR)))
ORDER BY taxi_id
