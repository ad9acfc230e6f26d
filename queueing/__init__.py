"""Tickets: order, fairness, states, offers, deadlock search, wakeups and websocket consumers."""
