"""Why a sample got its labels: what changes when a part of its picture, or a word, is taken away.

explanation  what is found of a sample
occlusion    pictures without a part, captions without a word
picture      an explanation as a PNG file
explainer    explains samples by a tracked run
"""
