-- The last known state and measurements of each API server, for alerting: the current state or, if EC2 or CloudWatch do
-- not answer, the last one found by the polls of the past seven days. So no alert starts or ends because something
-- could not be read. A measurement counts only if it was made after the server last started; `measured` is 1 if the
-- latest poll has all three. If no server is found any more, those found last are `missing`.
-- keys: instance_id
WITH recent AS (
  SELECT
    instance_id,
    name,
    running,
    TRY_CAST(cpu_utilization AS DOUBLE) AS cpu_utilization,
    TRY_CAST(network_in AS DOUBLE) AS network_in,
    TRY_CAST(network_out AS DOUBLE) AS network_out,
    measured_at,
    "timestamp"
  FROM "api-server-log"
  WHERE date >= local_day(service_now()) - 6
),
known AS (
  -- arg_max passes over rows in which there is no value.
  SELECT
    instance_id,
    arg_max(name, "timestamp") AS name,
    arg_max(running, "timestamp") AS running,
    max("timestamp") FILTER (WHERE running = 0) AS last_down,
    max("timestamp") AS last_seen
  FROM recent
  GROUP BY instance_id
),
measured AS (
  -- CloudWatch goes on giving a measurement for minutes: one made before a stop is not the restarted server's.
  SELECT
    instance_id,
    arg_max(cpu_utilization, "timestamp") AS cpu_utilization,
    arg_max(network_in, "timestamp") AS network_in,
    arg_max(network_out, "timestamp") AS network_out
  FROM recent JOIN known USING (instance_id)
  WHERE last_down IS NULL OR ("timestamp" > last_down AND measured_at >= last_down)
  GROUP BY instance_id
),
server AS (
  SELECT
    instance_id,
    name,
    state,
    running,
    CASE WHEN cpu_utilization IS NULL OR network_in IS NULL OR network_out IS NULL THEN 0 ELSE 1 END AS measured
  FROM "api-server"
  UNION ALL
  SELECT instance_id, name, 'missing' AS state, 0 AS running, 0 AS measured
  FROM known
  WHERE NOT EXISTS (FROM "api-server") AND last_seen = (SELECT max(last_seen) FROM known)
)
SELECT
  instance_id,
  coalesce(server.name, known.name) AS name,
  state,
  coalesce(server.running, known.running) AS running,
  measured,
  CASE WHEN coalesce(server.running, known.running) = 1 THEN cpu_utilization END AS cpu_utilization,
  CASE WHEN coalesce(server.running, known.running) = 1 THEN network_in END AS network_in,
  CASE WHEN coalesce(server.running, known.running) = 1 THEN network_out END AS network_out
FROM server LEFT JOIN known USING (instance_id) LEFT JOIN measured USING (instance_id)
ORDER BY instance_id
