-- Every spelling of a taxi zone in the tables, by number or by name (in lower case), with its location, for lookups by
-- other views. If several zones share a name, the lowest number is used, so that no row of those views is duplicated.
-- keys: written
SELECT CAST(zone_id AS VARCHAR) AS written, zone_id AS number, zone, borough, latitude, longitude
FROM zones
UNION ALL
(
  SELECT DISTINCT ON (lower(zone)) lower(zone) AS written, zone_id AS number, zone, borough, latitude, longitude
  FROM zones
  ORDER BY lower(zone), zone_id
)
