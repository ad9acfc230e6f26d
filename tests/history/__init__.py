"""The history checker: what clients saw of a service under faults, tested against what claims promise."""
