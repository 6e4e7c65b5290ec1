-- How old each polled dataset is, in seconds, for alerts of one's own; one that was never read is not here, but in
-- `collector` with its state.
-- keys: dataset
SELECT dataset, age_seconds
FROM collector
WHERE age_seconds IS NOT NULL
ORDER BY dataset
