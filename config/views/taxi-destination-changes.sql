-- Each change of a taxi's next zone in the last seven days, by name: from which zone to which, oldest first. Empty if
-- the taxi was unassigned before or after. A zone that is not on the city's list has its id as its name.
-- time: timestamp
-- keys: timestamp, taxi_id
SELECT
  "timestamp",
  taxi_id,
  change,
  coalesce(old_zone.zone, nullif(trim(CAST(previous_next_zone_id AS VARCHAR)), '')) AS from_zone,
  coalesce(new_zone.zone, nullif(trim(CAST(next_zone_id AS VARCHAR)), '')) AS to_zone
FROM "taxi-destination-dynamodb-changes"
LEFT JOIN "zone-names" AS old_zone ON old_zone.written = lower(trim(CAST(previous_next_zone_id AS VARCHAR)))
LEFT JOIN "zone-names" AS new_zone ON new_zone.written = lower(trim(CAST(next_zone_id AS VARCHAR)))
WHERE date >= local_day(service_now()) - 6
ORDER BY "timestamp", taxi_id
