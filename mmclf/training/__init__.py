"""From arrays to a trained model."""
