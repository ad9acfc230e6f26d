"""Personal tokens: made, rotated, revoked, listed; and what they prove."""
