"""The core domain: patterns, overlap, claims, leases, release requests and the inbox."""
