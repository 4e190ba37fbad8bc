"""Data: from the files of a data source to samples, their split and their images.

sources           a module for each form of files that is read
guess             what a file or folder holds, and the settings that read it
samples           what every source becomes
problems          how problems about many rows are worded
grouped           samples by their groups
shared_groups     groups that the source's own parts divide
split             the indices of the samples that train, validate and test
stratify          iterative stratification of groups
rebalance         labels back into training, sizes as they were asked for
label_support     whether the training samples hold every label
permute           samples that get what another one has
image_paths       images lie inside the source's folder
image_locations   an image is a file, or a cell of a Parquet file
images            image files to arrays
arrow             pyarrow, an extra that Parquet files need
parquet_pages     how large the parts of a Parquet file are unpacked
parquet_images    the bytes of images inside Parquet files
decoded_images    all images of a data set, decoded once
missing_files     files that are likely meant by names that are none
unreadable_images what becomes of images that cannot be read
augment           augmented views of images
checks            the examination of a data set
text_io           text files
"""
