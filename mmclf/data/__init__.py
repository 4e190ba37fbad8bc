"""Data: from the files of a data source to samples, their split and their images.

sources           a module for each form of files that is read
samples           what every source becomes
problems          how findings about many rows are worded
split             the indices of the samples that train, validate and test
label_support     whether the training samples hold every label
permute           samples that get what another one has
image_paths       images lie inside the source's folder
images            image files to arrays
decoded_images    all images of a data set, decoded once
missing_files     files that are likely meant by names that are none
unreadable_images what becomes of images that cannot be read
augment           augmented views of images
checks            the examination of a data set
text_io           text files
"""
