-- Rides of today so far: passengers who boarded (pickups), taxis sent to a zone (dispatches), and pickups as a
-- percentage of dispatches. The success rate is empty while nothing was dispatched. Always exactly one row.
-- keys: date
WITH rises AS (
  SELECT
    counter_type,
    increase(TRY_CAST("count" AS BIGINT), TRY_CAST(previous_count AS BIGINT), since, "timestamp") AS rise
  FROM "flag-dynamodb-changes"
  WHERE date = local_day(service_now())
),
totals AS (
  SELECT
    CAST(coalesce(sum(rise) FILTER (WHERE counter_type = 'pickup'), 0) AS BIGINT) AS pickups,
    CAST(coalesce(sum(rise) FILTER (WHERE counter_type = 'dispatch'), 0) AS BIGINT) AS dispatches
  FROM rises
)
SELECT
  strftime(local_day(service_now()), '%Y-%m-%d') AS date,
  pickups,
  dispatches,
  round(100 * pickups / nullif(dispatches, 0), 4) AS success_rate
FROM totals
