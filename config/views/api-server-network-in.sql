-- Bytes per second that each API server receives, for the alert on 0: the latest measurement, or while CloudWatch is silent
-- the last one since the server started. Empty for a server that does not run, and before its first measurement.
-- keys: instance_id
SELECT instance_id, name, network_in
FROM "api-server-last-measured"
ORDER BY instance_id
