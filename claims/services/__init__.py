"""Every change of claims and release requests: one transaction each, under the repository's lock."""
