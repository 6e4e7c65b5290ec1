-- Passengers who boarded in each zone on each day of the last four weeks, including today so far, with the zone's name
-- and location. A zone has a row for every day since it was first seen, with 0 if nobody boarded. A zone that is not on
-- the city's list has its id as its name and no location.
-- time: timestamp
-- keys: date, zone_id
WITH totals AS (
  SELECT
    date,
    zone_id,
    sum(increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp")) AS boardings
  FROM "pickup-zone-dynamodb-changes"
  WHERE date BETWEEN local_day(service_now()) - 27 AND local_day(service_now())
  GROUP BY date, zone_id
),
counted AS (
  SELECT date, CAST(zone_id AS VARCHAR) AS zone_id, CAST(boardings AS BIGINT) AS boardings FROM totals
),
calendar AS (
  SELECT zone_id, CAST(unnest(generate_series(min(date), local_day(service_now()), INTERVAL 1 DAY)) AS DATE) AS day
  FROM counted
  GROUP BY zone_id
)
SELECT
  local_midnight(day) AS timestamp,
  strftime(day, '%Y-%m-%d') AS date,
  calendar.zone_id,
  coalesce(zone, calendar.zone_id) AS zone,
  borough,
  latitude,
  longitude,
  coalesce(boardings, 0) AS boardings
FROM calendar
LEFT JOIN counted ON counted.date = day AND counted.zone_id = calendar.zone_id
LEFT JOIN "zone-names" ON written = lower(trim(calendar.zone_id))
ORDER BY day, number, calendar.zone_id
