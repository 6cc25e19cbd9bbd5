"""The session: one person, one book, one pedal."""
