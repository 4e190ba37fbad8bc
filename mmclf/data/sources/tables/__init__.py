"""Tables: from files with rows and columns to what the samples are made of.

settings         what a table's settings must be, before it is read
table_files      its files, for each part
reader           a table out of one file or several
columns          which columns of a file are wanted
text_stream      text files in their encoding, and unpacked
delimited        CSV, TSV and the like
regular          the same, fast where it is regular
json_lines       JSON lines
parquet          Parquet
parquet_batches  its columns, as large as what they hold
class_labels     names of numbered classes in it
list_cells       lists that are written as text
labels           the labels of rows
label_cells      of cells that hold several
label_columns    of a 0/1 column for each
label_spelling   labels that may not be what was meant
rows             which rows are one sample
labelled_rows    which rows are used, and what is wrong with them
captions         one caption or several of each sample
picture_paths    where the images are
"""
