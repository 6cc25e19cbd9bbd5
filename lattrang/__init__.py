"""The roof: one command line and the demo, the only place that knows both sides."""
