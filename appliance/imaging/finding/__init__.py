"""Where the pages lie in a frame: outline, sides, corners, the gutter between two."""
