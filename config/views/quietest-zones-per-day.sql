-- The five zones with the fewest boardings on each day of the last four weeks, including today so far; rank 1 has the
-- fewest. Zones seen earlier in which nobody boarded that day are included, with 0.
-- time: timestamp
-- keys: date, rank
SELECT timestamp, date, row_number() OVER fewest AS rank, zone_id, zone, boardings
FROM "boardings-per-zone-per-day"
WINDOW fewest AS (PARTITION BY date ORDER BY boardings, TRY_CAST(zone_id AS BIGINT), zone_id)
QUALIFY rank <= 5
ORDER BY date, rank
