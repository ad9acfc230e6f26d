"""Signing in to the dashboard: accounts and passwords, one-time links, tokens, an identity provider."""
