"""From logits to thresholds and metrics; pure functions."""
