-- For each zone over the last seven days, including today so far: how many taxis were sent there (it became their next
-- zone), how many passengers boarded there, and boardings as a percentage of taxis sent, empty if none was sent. If a
-- taxi's next zone is also set to its passenger's destination, those taxis count too: compare zones with each other. A
-- zone that is not on the city's list has its id as its name.
-- keys: zone_id
WITH changes AS (
  SELECT "timestamp" AS moment, change, nullif(trim(CAST(next_zone_id AS VARCHAR)), '') AS zone_id
  FROM "taxi-destination-dynamodb-changes"
  WHERE date >= local_day(service_now()) - 6
),
-- Both are counted from the same moment: in the first poll of all, every taxi is new and none is sent.
beginning AS (SELECT min(moment) AS moment FROM changes),
sent AS (
  SELECT zone_id, count(*) AS taxis
  FROM changes
  WHERE change <> 'delete' AND moment > (SELECT moment FROM beginning)
  GROUP BY zone_id
),
boarded AS (
  SELECT
    CAST(zone_id AS VARCHAR) AS zone_id,
    CAST(sum(increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp")) AS BIGINT) AS boardings
  FROM "pickup-zone-dynamodb-changes"
  WHERE date >= local_day(service_now()) - 6 AND "timestamp" > (SELECT moment FROM beginning)
  GROUP BY ALL
),
named AS (
  -- The two tables may write one zone differently, by its number or by its name: they meet in the name.
  SELECT coalesce(CAST(number AS VARCHAR), zone_id) AS zone_id, coalesce(zone, zone_id) AS zone, taxis, 0 AS boardings
  FROM sent LEFT JOIN "zone-names" ON written = lower(zone_id)
  WHERE zone_id IS NOT NULL
  UNION ALL
  SELECT coalesce(CAST(number AS VARCHAR), zone_id), coalesce(zone, zone_id), 0, boardings
  FROM boarded LEFT JOIN "zone-names" ON written = lower(trim(zone_id))
)
SELECT
  zone_id,
  any_value(zone) AS zone,
  CAST(sum(taxis) AS BIGINT) AS taxis_sent,
  CAST(sum(boardings) AS BIGINT) AS boardings,
  round(100 * sum(boardings) / nullif(sum(taxis), 0), 4) AS success_rate
FROM named
GROUP BY zone_id
ORDER BY success_rate DESC NULLS LAST, zone, zone_id
