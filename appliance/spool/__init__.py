"""The durable outbox of a station."""
