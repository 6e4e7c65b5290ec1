-- How many taxis have no next zone. Always exactly one row, 0 when every taxi has one: what the alert looks at.
SELECT count(*) AS unassigned
FROM "unassigned-taxis"
