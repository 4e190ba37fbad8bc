"""What the best arm of a study gets wrong, by the predictions of all of its seeds.

error_result  what is shown, as plain values
read_errors   where it comes from: the runs, and the samples where they are at hand
thumbnails    small pictures of samples
"""
