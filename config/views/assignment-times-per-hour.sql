-- How long taxis waited for a next zone, by the hour in which they got one, over the last seven days: the number of
-- assignments, and the median, 90th percentile and maximum waiting time in seconds, as precise as the polling interval.
-- One row per hour since the first data; an hour without assignments has no times. A taxi that was unassigned before
-- the seven days, or that is new in the table, does not count.
-- time: timestamp
-- keys: timestamp
WITH steps AS (
  SELECT
    taxi_id,
    "timestamp" AS moment,
    change,
    coalesce(trim(CAST(next_zone_id AS VARCHAR)), '') <> '' AS is_assigned
  FROM "taxi-destination-dynamodb-changes"
  WHERE date >= local_day(service_now()) - 6
),
waits AS (
  SELECT moment, epoch(moment) - epoch(lag(moment) OVER same_taxi) AS seconds
  FROM steps
  WINDOW same_taxi AS (PARTITION BY taxi_id ORDER BY moment)
  QUALIFY is_assigned AND NOT lag(is_assigned) OVER same_taxi AND lag(change) OVER same_taxi <> 'delete'
),
counted AS (
  SELECT
    local_hour_start(moment) AS start,
    count(*) AS assignments,
    median(seconds) AS median_seconds,
    quantile_cont(seconds, 0.9) AS p90_seconds,
    max(seconds) AS longest_seconds
  FROM waits
  GROUP BY start
),
calendar AS (
  SELECT DISTINCT local_hour_start(quarter) AS start
  FROM (SELECT unnest(generate_series(min(moment), service_now(), INTERVAL 15 MINUTE)) AS quarter FROM steps)
)
SELECT
  calendar.start AS timestamp,
  coalesce(assignments, 0) AS assignments,
  round(median_seconds, 1) AS median_seconds,
  round(p90_seconds, 1) AS p90_seconds,
  round(longest_seconds, 1) AS longest_seconds
FROM calendar LEFT JOIN counted USING (start)
ORDER BY timestamp
