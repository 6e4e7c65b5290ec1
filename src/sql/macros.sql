-- Macros that every view and every query has. The session's time zone is the configured one, so
-- "local" below is the fleet's wall clock, with its changes to and from daylight saving time.

-- local_day(x): DATE. The local day of an instant (TIMESTAMPTZ); a DATE stays what it is.
-- Logs and changes have that day already in their column `date`, which costs nothing: prefer it.
CREATE MACRO local_day(x) AS CAST(x AS DATE);

-- local_hour(x): BIGINT 0 to 23. The local hour of an instant. On the day the clocks go back one hour comes twice,
-- on the day they go forward one is missing; local_hour_start tells the two apart.
CREATE MACRO local_hour(x) AS hour(CAST(x AS TIMESTAMPTZ));

-- local_hour_start(x): TIMESTAMPTZ. The instant at which the local hour of x began. date_trunc('hour', x) would make one
-- hour of the two equal ones of the day the clocks go back.
CREATE MACRO local_hour_start(x) AS
  to_timestamp(epoch_ms(CAST(x AS TIMESTAMPTZ)) // 60000 * 60 - 60 * minute(CAST(x AS TIMESTAMPTZ)));

-- local_midnight(x): TIMESTAMPTZ. The instant at which a local day (or the local day of an instant) began.
CREATE MACRO local_midnight(x) AS CAST(CAST(x AS DATE) AS TIMESTAMPTZ);

-- local_week(x): VARCHAR such as 2026-W47. The ISO 8601 week (Monday to Sunday, of the year that has its Thursday)
-- of a DATE, or of an instant's local day.
CREATE MACRO local_week(x) AS strftime(CAST(x AS DATE), '%G-W%V');

-- increase(value, previous, since, until): by how much a daily counter rose, from one row of a `-changes` dataset:
--
--   SELECT date, sum(increase("count", previous_count, since, "timestamp"))
--   FROM "flag-dynamodb-changes" WHERE date >= DATE '2026-11-01' GROUP BY date
--
-- A daily counter only rises during a day and is set back by a nightly batch, to zero or by deleting its item,
-- not exactly at midnight. `value` and `previous` are its values after and before the change, numbers of any type
-- (write TRY_CAST("count" AS BIGINT) where the column may be text); `since` and `until` the times of the two polls.
--
--   value absent (a delete)                    0                  nothing more is known of it
--   previous absent (never seen before)        value
--   value less than previous                   value              it was reset in between
--   no successful poll for more than an hour,  value              it was taken as reset in between, even where it
--     and local midnight in that time                             is higher than before
--   otherwise                                  value - previous
--
-- The increase belongs to the local day of `until`, the poll that found it (the column `date`): what rose between the
-- last poll before midnight and the first one after it counts for the new day, seconds' worth.
-- `since` is the time of the previous successful poll, not of this item's previous change: an item that stood still
-- for hours was not missed. A poll exactly one hour after the last one is not a gap.
--
-- What follows from one row being all there is, and is accepted:
-- - The first poll of all counts the whole value for its day, since a counter counts its day. Between midnight and
--   the nightly batch that value is still the day before's.
-- - The same holds for the first poll after a long gap over midnight that ends before the nightly batch.
-- - A counter that has exactly its old value after such a gap did not change, so it has no row and adds nothing.
-- - An item that comes back is compared with its last known value, as it may have been missing from one poll only.
--   Where the nightly batch deletes items, one that comes back at or above its last value of the day before counts
--   the difference only. That takes an item whose first value seen is as high as the day before's last one: a zone
--   with a boarding or two a day, not the fleet's totals.
CREATE MACRO increase(value, previous, since, until) AS CASE
  WHEN value IS NULL THEN 0
  WHEN previous IS NULL OR value < previous THEN value
  -- Nested, and in milliseconds, as both a time zone's arithmetic and an interval's are slow for each of millions of rows.
  WHEN epoch_ms(CAST(until AS TIMESTAMPTZ)) - epoch_ms(CAST(since AS TIMESTAMPTZ)) > 3600000
    THEN CASE WHEN CAST(until AS DATE) <> CAST(since AS DATE) THEN value ELSE value - previous END
  ELSE value - previous
END;
