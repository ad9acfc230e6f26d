"""owners.yaml and its revisions, severity, shared files, the contention log, hotspots, promotion."""
