-- Rides in each hour of the last four weeks, including today so far: passengers who boarded (pickups) and taxis sent to
-- a zone (dispatches), with the hour of the day (0 to 23, local time) and the weekday. One row per hour since the first
-- data; an hour occurs twice on the day when clocks are set back, and one is missing when they are set forward.
-- time: timestamp
-- keys: date, hour
WITH quarters AS (
  -- Quarters of an hour first: they fit every time zone, and few of them are left to ask for their local hour. By date,
  -- so that those of sealed days are computed once.
  SELECT
    date,
    epoch_ms("timestamp") // 900000 AS quarter,
    counter_type,
    sum(increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp")) AS rise
  FROM "flag-dynamodb-changes"
  WHERE date BETWEEN local_day(service_now()) - 27 AND local_day(service_now())
  GROUP BY date, quarter, counter_type
),
counted AS (
  SELECT
    local_hour_start(to_timestamp(quarter * 900)) AS start,
    CAST(coalesce(sum(rise) FILTER (WHERE counter_type = 'pickup'), 0) AS BIGINT) AS pickups,
    CAST(coalesce(sum(rise) FILTER (WHERE counter_type = 'dispatch'), 0) AS BIGINT) AS dispatches
  FROM quarters
  GROUP BY start
),
calendar AS (
  SELECT DISTINCT local_hour_start(quarter) AS start
  FROM (
    SELECT unnest(generate_series(min(start), service_now(), INTERVAL 15 MINUTE)) AS quarter
    FROM counted
  )
)
SELECT
  calendar.start AS timestamp,
  strftime(local_day(calendar.start), '%Y-%m-%d') AS date,
  local_hour(calendar.start) AS hour,
  dayname(local_day(calendar.start)) AS weekday,
  coalesce(pickups, 0) AS pickups,
  coalesce(dispatches, 0) AS dispatches
FROM calendar LEFT JOIN counted ON counted.start = calendar.start
ORDER BY calendar.start
