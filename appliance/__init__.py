"""The station without a face: capture, judge, keep safe, hand over."""
