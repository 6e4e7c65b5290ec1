-- Zones with fewer taxis on their way than their share of the last hour's boardings, largest shortage first:
-- `expected_taxis` is how many there would be if taxis on their way were distributed like passengers, and `short_by`
-- the difference, at least one taxi. A zone that is not on the city's list has its id as its name.
-- keys: zone_id
WITH boarded AS (
  SELECT
    CAST(zone_id AS VARCHAR) AS zone_id,
    CAST(sum(increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp")) AS BIGINT) AS boardings
  FROM "pickup-zone-dynamodb-changes"
  -- An hour may begin on the day before.
  WHERE date >= local_day(service_now()) - 1 AND "timestamp" > service_now() - INTERVAL 1 HOUR
  GROUP BY ALL
),
named AS (
  -- The two tables may write one zone differently, by its number or by its name: they meet in the name.
  SELECT coalesce(CAST(number AS VARCHAR), zone_id) AS zone_id, coalesce(zone, zone_id) AS zone, boardings, 0 AS taxis
  FROM boarded LEFT JOIN "zone-names" ON written = lower(trim(zone_id))
  UNION ALL
  SELECT coalesce(CAST(number AS VARCHAR), heading.zone_id), heading.zone, 0, taxis
  FROM "destinations-per-zone" AS heading LEFT JOIN "zone-names" ON written = lower(trim(heading.zone_id))
)
SELECT
  zone_id,
  any_value(zone) AS zone,
  CAST(sum(boardings) AS BIGINT) AS boardings_last_hour,
  CAST(sum(taxis) AS BIGINT) AS taxis,
  round(sum(sum(taxis)) OVER () * sum(boardings) / nullif(sum(sum(boardings)) OVER (), 0), 1) AS expected_taxis,
  round(expected_taxis - sum(taxis), 1) AS short_by
FROM named
GROUP BY zone_id
QUALIFY short_by >= 1
ORDER BY short_by DESC, zone, zone_id
