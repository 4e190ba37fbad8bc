"""Data sources: each reads files of one form and returns Samples.

competition, competition_csv   train.csv, test.csv and a folder of images
coco, coco_json                MS COCO's annotations
caption_use                    what becomes of several captions of a sample
table, table_file              a table of one's own
demo, demo_pictures            a generated competition
"""
