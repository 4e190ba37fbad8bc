"""A study's result, out of its runs.

scores        a metric of runs, and what they add up to on resamples
read_scores   out of what the runs predicted
contrasts     contrasts of arms by these scores
effects       what a study asks for, by these contrasts
interim       the estimates that a look sees
stopped       what looks called, when and why
notes         what is to be known before comparing
study_result  what the result holds
collect       the result out of a study's tracked runs
compare       any two runs beside each other
variances     how much differences vary, from earlier studies
read_labels   each label against the baseline
details       curves and label shares of the main arms
read_details  where they come from
"""
