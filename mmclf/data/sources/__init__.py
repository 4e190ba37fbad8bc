"""Data sources: each reads files of one form and returns Samples."""
