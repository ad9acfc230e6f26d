"""The dashboard: one look at the service, cut into panels, drawn by templates, told over a websocket."""
