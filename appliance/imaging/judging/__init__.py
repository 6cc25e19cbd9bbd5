"""What is wrong with a capture, as values with limits: the checks and what they measure."""
