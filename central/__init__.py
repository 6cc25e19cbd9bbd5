"""The server without a face: receive, prove, keep, catalogue."""
