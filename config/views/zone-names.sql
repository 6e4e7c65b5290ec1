-- Every way in which a taxi zone is written in the tables, by its number or by its name (in small letters), with its place:
-- what other views look zones up in. Where several zones share a name, the lowest number is meant, so that no row of
-- theirs is ever doubled.
-- keys: written
SELECT CAST(zone_id AS VARCHAR) AS written, zone_id AS number, zone, borough, latitude, longitude
FROM zones
UNION ALL
(
  SELECT DISTINCT ON (lower(zone)) lower(zone) AS written, zone_id AS number, zone, borough, latitude, longitude
  FROM zones
  ORDER BY lower(zone), zone_id
)
