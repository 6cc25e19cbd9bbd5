"""What both screens share: the base application, access, languages, the design's tokens and the vendored assets."""
