"""The examination of a data set: what would stop a run, and what is odd.

examine     loads, decodes and splits as a run would
checkup     what there is to say of samples, captions, images and labels
duplicates  samples that are alike
labels      how often each label stands in each part
parts       groups in one part, sizes asked and got, labels that a part lacks
check       one line of the report
"""
