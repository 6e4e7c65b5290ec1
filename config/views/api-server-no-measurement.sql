-- 1 for each API server that is running, as far as is known, but has no current CPU or network measurement, otherwise
-- 0: for alerting on missing measurements. A server that is not running is 0 here; another alert covers it.
-- keys: instance_id
SELECT instance_id, name, CASE WHEN running = 0 OR measured = 1 THEN 0 ELSE 1 END AS no_measurement
FROM "api-server-last-measured"
ORDER BY instance_id
