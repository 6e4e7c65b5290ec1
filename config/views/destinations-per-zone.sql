-- Empty taxis now heading to each zone, most first, with the zone's name and location. A zone that is not on the city's
-- list has its id as its name and no location.
-- keys: zone_id
SELECT
  CAST(heading.zone_id AS VARCHAR) AS zone_id,
  coalesce(zone, CAST(heading.zone_id AS VARCHAR)) AS zone,
  borough,
  latitude,
  longitude,
  coalesce(TRY_CAST("count" AS BIGINT), 0) AS taxis
FROM "zone-count-dynamodb" AS heading
LEFT JOIN "zone-names" ON written = lower(trim(CAST(heading.zone_id AS VARCHAR)))
ORDER BY taxis DESC, number, heading.zone_id
