"""What a job is: its list, what can be done to it, and what is known of a copy before it opens."""
