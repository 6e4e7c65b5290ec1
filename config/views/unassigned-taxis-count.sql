-- The number of taxis without a next zone, for alerting. Always exactly one row; 0 if every taxi has one.
SELECT count(*) AS unassigned
FROM "unassigned-taxis"
