"""Hand-over to the centre over MQTT."""
