-- The number of taxis now: all of them, those with a next zone, and those without. Always exactly one row.
SELECT taxis, taxis - unassigned AS assigned, unassigned
FROM (SELECT count(*) AS taxis FROM "taxi-destination-dynamodb"), "unassigned-taxis-count"
