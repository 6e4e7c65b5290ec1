-- The taxis now: all of them, those that know their next zone, and those that do not. Always exactly one row.
SELECT taxis, taxis - unassigned AS assigned, unassigned
FROM (SELECT count(*) AS taxis FROM "taxi-destination-dynamodb"), "unassigned-taxis-count"
