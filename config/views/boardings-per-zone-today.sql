-- Passengers who boarded in each zone today so far, most first, with the zone's name and location. Zones in the table
-- without boardings today have 0. A zone that is not on the city's list has its id as its name and no location.
-- keys: zone_id
WITH counted AS (
  SELECT zone_id, CAST(sum(rise) AS BIGINT) AS boardings
  FROM (
    SELECT
      CAST(zone_id AS VARCHAR) AS zone_id,
      increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp") AS rise
    FROM "pickup-zone-dynamodb-changes"
    WHERE date = local_day(service_now())
    UNION ALL
    SELECT CAST(zone_id AS VARCHAR) AS zone_id, 0 AS rise
    FROM "pickup-zone-dynamodb"
  )
  GROUP BY zone_id
)
SELECT
  counted.zone_id,
  coalesce(zone, counted.zone_id) AS zone,
  borough,
  latitude,
  longitude,
  boardings
FROM counted LEFT JOIN "zone-names" ON written = lower(trim(counted.zone_id))
ORDER BY boardings DESC, number, counted.zone_id
