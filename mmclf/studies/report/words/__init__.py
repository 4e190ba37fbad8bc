"""The result in words.

answer        what was found, an arm a sentence
method_words  how intervals and verdicts were made
markdown      the whole result as a document
parent_summary  the result in short, for the parent run in MLflow
"""
