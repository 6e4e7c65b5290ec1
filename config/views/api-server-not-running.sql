-- 1 for each API server of which EC2 says anything but running (`missing`: there is no such instance), 0 for the others: what
-- the alert looks at. Of a server whose region cannot be read, what was known last counts.
-- keys: instance_id
SELECT instance_id, name, CASE WHEN running = 0 THEN 1 ELSE 0 END AS not_running
FROM "api-server-last-measured"
ORDER BY instance_id
