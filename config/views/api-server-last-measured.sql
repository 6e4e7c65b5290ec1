-- What was last measured of each API server: the present values, and where CloudWatch has none, those of the last poll that
-- found one, up to two days back and only since the server last started. So an alert on a value neither ends nor begins
-- because a measurement is missing. Empty for a server that does not run.
-- keys: instance_id
WITH recent AS (
  SELECT instance_id, "timestamp", running, cpu_utilization, network_in, network_out
  FROM "api-server-log"
  WHERE date >= local_day(service_now()) - 1
),
started AS (
  SELECT instance_id, max("timestamp") FILTER (WHERE running = 0) AS last_down
  FROM recent
  GROUP BY instance_id
),
remembered AS (
  SELECT
    instance_id,
    arg_max(running, "timestamp") AS running,
    arg_max(cpu_utilization, "timestamp") AS cpu_utilization,
    arg_max(network_in, "timestamp") AS network_in,
    arg_max(network_out, "timestamp") AS network_out
  FROM recent JOIN started USING (instance_id)
  WHERE last_down IS NULL OR "timestamp" > last_down
  GROUP BY instance_id
)
SELECT
  server.instance_id,
  server.name,
  server.state,
  coalesce(server.running, remembered.running) AS running,
  CASE WHEN server.running = 0 THEN NULL ELSE coalesce(server.cpu_utilization, remembered.cpu_utilization) END AS cpu_utilization,
  CASE WHEN server.running = 0 THEN NULL ELSE coalesce(server.network_in, remembered.network_in) END AS network_in,
  CASE WHEN server.running = 0 THEN NULL ELSE coalesce(server.network_out, remembered.network_out) END AS network_out
FROM "api-server" AS server LEFT JOIN remembered ON remembered.instance_id = server.instance_id
ORDER BY server.instance_id
