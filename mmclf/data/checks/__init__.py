"""The report on a data set before anything is trained on it: what would stop a run, what is odd."""
