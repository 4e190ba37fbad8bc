"""Data: the tables, the images and what is read from them."""
