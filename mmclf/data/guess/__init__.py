"""Guessing: what kind of data a file or folder holds, and the settings that read it.

guess        a file or folder to a data level
settings     what a guess consists of
table        a table's settings
columns      which column holds what
label_cells  how labels stand in a column, or in one for each label
preview      the first rows of a table
coco         the settings for MS COCO's files
pictures     the folder that images lie in
"""
