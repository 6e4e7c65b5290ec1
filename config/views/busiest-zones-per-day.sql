-- The five zones with the most boardings on each day of the last four weeks, including today so far; rank 1 has the
-- most. Zones without boardings are left out, so a quiet day may have fewer than five.
-- time: timestamp
-- keys: date, rank
SELECT timestamp, date, row_number() OVER most AS rank, zone_id, zone, boardings
FROM "boardings-per-zone-per-day"
WHERE boardings > 0
WINDOW most AS (PARTITION BY date ORDER BY boardings DESC, TRY_CAST(zone_id AS BIGINT), zone_id)
QUALIFY rank <= 5
ORDER BY date, rank
