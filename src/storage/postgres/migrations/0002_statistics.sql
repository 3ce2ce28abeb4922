-- The planner keeps samples of what stands in a column, readable in pg_stats, and they outlive erasure and purge. No query
-- looks anything up by these columns, so none of them is sampled. Giving a column the type that it has takes away what was
-- sampled before, and rewrites nothing.

ALTER TABLE interactions
    ALTER COLUMN text TYPE text,
    ALTER COLUMN text SET STATISTICS 0,
    ALTER COLUMN observation SET STATISTICS 0;
ALTER TABLE customers
    ALTER COLUMN account SET STATISTICS 0,
    ALTER COLUMN profile SET STATISTICS 0,
    ALTER COLUMN memory SET STATISTICS 0;
ALTER TABLE assessments ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE signals ALTER COLUMN body TYPE jsonb, ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE outbox
    ALTER COLUMN body TYPE text,
    ALTER COLUMN body SET STATISTICS 0,
    ALTER COLUMN error SET STATISTICS 0;
