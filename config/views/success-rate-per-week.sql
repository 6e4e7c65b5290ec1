-- Dispatch success rate of each of the last 13 weeks (Monday to Sunday), including the current week so far: the average
-- of its days' rates (pickups as a percentage of dispatches; days without dispatches do not count), and `change`, the
-- difference from the previous week in percentage points.
-- time: timestamp
-- keys: week
WITH rises AS (
  -- One week more than is shown, for the first one's change.
  SELECT
    date,
    counter_type,
    increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp") AS rise
  FROM "flag-dynamodb-changes"
  WHERE date BETWEEN CAST(date_trunc('week', local_day(service_now())) AS DATE) - 7 * 13 AND local_day(service_now())
),
days AS (
  SELECT
    date,
    coalesce(sum(rise) FILTER (WHERE counter_type = 'pickup'), 0) AS pickups,
    coalesce(sum(rise) FILTER (WHERE counter_type = 'dispatch'), 0) AS dispatches
  FROM rises
  GROUP BY date
),
counted AS (
  SELECT
    CAST(date_trunc('week', date) AS DATE) AS monday,
    CAST(sum(pickups) AS BIGINT) AS pickups,
    CAST(sum(dispatches) AS BIGINT) AS dispatches,
    avg(100 * pickups / nullif(dispatches, 0)) AS rate
  FROM days
  GROUP BY monday
),
weeks AS (
  -- A week without any data has a row too, so that the row before is the week before.
  SELECT monday, pickups, dispatches, rate, rate - lag(rate) OVER (ORDER BY monday) AS change
  FROM (
    SELECT CAST(unnest(generate_series(min(monday), local_day(service_now()), INTERVAL 7 DAY)) AS DATE) AS monday
    FROM counted
  ) LEFT JOIN counted USING (monday)
)
SELECT
  local_midnight(monday) AS timestamp,
  local_week(monday) AS week,
  coalesce(pickups, 0) AS pickups,
  coalesce(dispatches, 0) AS dispatches,
  round(rate, 4) AS average_success_rate,
  round(change, 4) AS change
FROM weeks
WHERE monday > local_day(service_now()) - 7 * 13
ORDER BY monday
