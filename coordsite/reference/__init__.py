"""Taking over from the reference service: its SQLite file in, claims, requests, ownership and outbox here."""
