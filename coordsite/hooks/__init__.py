"""Hooks that tools call over HTTP: their payloads in, their own answers out, the decisions of ``coord-hook``.

Here only the payload is seen, not the work tree: no ``git status`` after a command, no ignore rules.
"""
