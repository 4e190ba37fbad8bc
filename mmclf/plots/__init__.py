"""Plots of runs and studies, from plain arrays.

label_shares, learning_curves, threshold_curves, label_scores   of a run
errors, attributions                                            of samples
forest, waterfall, cost                                         of a study
lines, style, svg, files, words                        what they share
"""
