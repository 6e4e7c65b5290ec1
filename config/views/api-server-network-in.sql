-- Bytes per second received by each API server, for alerting on 0: the latest measurement or, while CloudWatch returns
-- none, the last one since the server started. Empty for a server that is not running, and before its first
-- measurement.
-- keys: instance_id
SELECT instance_id, name, network_in
FROM "api-server-last-measured"
ORDER BY instance_id
