-- Passengers who boarded today, cumulative per five minutes, compared with the same weekday last week up to the same
-- time of day. `today` is empty in the future; `last_week` is empty if there is no data for that day. If one of the two
-- days has a clock change, equal wall clock times are compared.
-- time: timestamp
WITH rises AS (
  SELECT
    date,
    "timestamp" AS moment,
    increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp") AS rise
  FROM "flag-dynamodb-changes"
  WHERE date IN (local_day(service_now()), local_day(service_now()) - 7) AND counter_type = 'pickup'
),
steps AS (
  SELECT moment, epoch(CAST(moment AS TIMESTAMP) - CAST(CAST(moment AS DATE) AS TIMESTAMP)) AS clock
  FROM (
    SELECT unnest(range(local_midnight(service_now()), local_midnight(local_day(service_now()) + 1), INTERVAL 5 MINUTE)) AS moment
  )
),
-- Running totals: today's by the instant, last week's by the wall clock.
today AS (
  SELECT moment, sum(rise) OVER (ORDER BY moment) AS total
  FROM (SELECT moment, sum(rise) AS rise FROM rises WHERE date = local_day(service_now()) GROUP BY moment)
),
last_week AS (
  SELECT clock, sum(rise) OVER (ORDER BY clock) AS total
  FROM (
    SELECT epoch(CAST(moment AS TIMESTAMP) - CAST(date AS TIMESTAMP)) AS clock, sum(rise) AS rise
    FROM rises
    WHERE date = local_day(service_now()) - 7
    GROUP BY clock
  )
)
SELECT
  steps.moment AS timestamp,
  CASE WHEN steps.moment <= service_now() THEN CAST(coalesce(today.total, 0) AS BIGINT) END AS today,
  CASE WHEN EXISTS (FROM last_week) THEN CAST(coalesce(last_week.total, 0) AS BIGINT) END AS last_week
FROM steps
ASOF LEFT JOIN today ON today.moment <= steps.moment
ASOF LEFT JOIN last_week ON last_week.clock <= steps.clock
ORDER BY steps.moment
