"""Page imaging: pure functions from arrays to arrays and findings. No files, no clock, no threads."""
