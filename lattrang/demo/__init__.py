"""The demo: a whole site on one machine, from certificates to pages, with simulated or replayed hardware."""
