-- The age of each polled dataset in seconds, for your own alerts; datasets that were never read are only in
-- `collector`, with their state.
-- keys: dataset
SELECT dataset, age_seconds
FROM collector
WHERE age_seconds IS NOT NULL
ORDER BY dataset
