"""What runs predicted, from their artifacts.

artifact_files  files among a run's artifacts, checked
predictions     the label sets that runs predicted
common_samples  test samples that runs have in common
"""
