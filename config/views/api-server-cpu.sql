-- CPU utilization of each API server in percent, for alerting: the latest measurement or, while CloudWatch returns
-- none, the last one since the server started. Empty for a server that is not running, and before its first
-- measurement.
-- keys: instance_id
SELECT instance_id, name, cpu_utilization
FROM "api-server-last-measured"
ORDER BY instance_id
