"""The event log and its delivery: record, outbox, signing, retry."""
