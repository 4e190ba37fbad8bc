"""mmclf's part of Hydra's namespace of plugins."""
