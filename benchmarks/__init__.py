"""Figures: scripts that measure, alone or beside another service with the same API."""
