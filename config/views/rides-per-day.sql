-- Rides on each day of the last 13 weeks, including today so far: passengers who boarded (pickups), taxis sent to a
-- zone (dispatches), and pickups as a percentage of dispatches, empty on a day without dispatches. One row per day
-- since the first data; a day without any counts has zeros.
-- time: timestamp
-- keys: date
WITH rises AS (
  SELECT
    date,
    counter_type,
    increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp") AS rise
  FROM "flag-dynamodb-changes"
  WHERE date BETWEEN local_day(service_now()) - 90 AND local_day(service_now())
),
counted AS (
  SELECT
    date,
    CAST(coalesce(sum(rise) FILTER (WHERE counter_type = 'pickup'), 0) AS BIGINT) AS pickups,
    CAST(coalesce(sum(rise) FILTER (WHERE counter_type = 'dispatch'), 0) AS BIGINT) AS dispatches
  FROM rises
  GROUP BY date
),
calendar AS (
  SELECT CAST(unnest(generate_series(min(date), local_day(service_now()), INTERVAL 1 DAY)) AS DATE) AS day
  FROM counted
)
SELECT
  local_midnight(day) AS timestamp,
  strftime(day, '%Y-%m-%d') AS date,
  dayname(day) AS weekday,
  coalesce(pickups, 0) AS pickups,
  coalesce(dispatches, 0) AS dispatches,
  round(100 * pickups / nullif(dispatches, 0), 4) AS success_rate
FROM calendar LEFT JOIN counted ON counted.date = day
ORDER BY day
