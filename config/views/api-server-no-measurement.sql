-- 1 for each API server that runs, as far as is known, while CPU or network are not measured, 0 for the others: what the alert
-- on silence looks at. A server that does not run is not silent, it is not running.
-- keys: instance_id
SELECT instance_id, name, CASE WHEN running = 0 OR measured = 1 THEN 0 ELSE 1 END AS no_measurement
FROM "api-server-last-measured"
ORDER BY instance_id
