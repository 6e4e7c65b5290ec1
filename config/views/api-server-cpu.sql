-- CPU utilization of each API server in percent, for the alert on it: the latest measurement, or while CloudWatch is silent
-- the last one since the server started. Empty for a server that does not run, and before its first measurement.
-- keys: instance_id
SELECT instance_id, name, cpu_utilization
FROM "api-server-last-measured"
ORDER BY instance_id
