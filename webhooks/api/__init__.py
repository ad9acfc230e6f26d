"""The REST API of events, endpoints and deliveries."""
