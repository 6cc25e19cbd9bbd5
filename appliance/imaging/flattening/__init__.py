"""From a page's outline to its flat picture: perspective, proportions, curl, resampling."""
