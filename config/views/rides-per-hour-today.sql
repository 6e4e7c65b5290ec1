-- Rides in each hour of today compared with the same hour of the same weekday last week: passengers who boarded
-- (pickups) and taxis sent to a zone (dispatches). One row per hour of the day, `00` to `23`; future hours are empty
-- for today, and last week is empty if there is no data for it. The current hour is counted so far. When clocks are set
-- back, the repeated hour is one row.
-- keys: hour
WITH counted AS (
  SELECT date, hour, CAST(sum(pickups) AS BIGINT) AS pickups, CAST(sum(dispatches) AS BIGINT) AS dispatches
  FROM "rides-per-hour"
  WHERE date IN (
    strftime(local_day(service_now()), '%Y-%m-%d'),
    strftime(local_day(service_now()) - 7, '%Y-%m-%d')
  )
  GROUP BY date, hour
)
SELECT
  lpad(CAST(hours.hour AS VARCHAR), 2, '0') AS hour,
  today.pickups,
  last_week.pickups AS pickups_last_week,
  today.dispatches,
  last_week.dispatches AS dispatches_last_week
FROM (SELECT unnest(range(24)) AS hour) AS hours
LEFT JOIN counted AS today
  ON today.hour = hours.hour AND today.date = strftime(local_day(service_now()), '%Y-%m-%d')
LEFT JOIN counted AS last_week
  ON last_week.hour = hours.hour AND last_week.date = strftime(local_day(service_now()) - 7, '%Y-%m-%d')
ORDER BY hours.hour
