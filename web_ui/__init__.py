"""Screens, in Vietnamese and English: Flask behind waitress, one application per side."""
