"""The ground floor: clock, error type and small helpers that every package may use."""
