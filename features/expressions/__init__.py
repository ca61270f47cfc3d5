"""Groups of measures as Narwhals expressions over the join of snapshots and records: one text for every engine."""
