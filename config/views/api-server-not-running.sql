-- 1 for each API server whose EC2 state is anything but running (`missing`: there is no such instance), otherwise 0:
-- for alerting. If the region of a server cannot be read, its last known state counts.
-- keys: instance_id
SELECT instance_id, name, CASE WHEN running = 0 THEN 1 ELSE 0 END AS not_running
FROM "api-server-last-measured"
ORDER BY instance_id
