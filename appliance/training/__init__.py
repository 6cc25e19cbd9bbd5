"""Training: the same station on a spool of its own, with faults put between the camera and the pages."""
