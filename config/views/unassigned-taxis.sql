-- Taxis without a next zone.
-- keys: taxi_id
SELECT taxi_id
FROM "taxi-destination-dynamodb"
WHERE coalesce(trim(CAST(next_zone_id AS VARCHAR)), '') = ''
ORDER BY taxi_id
