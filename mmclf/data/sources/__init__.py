"""Data sources: each reads files of one form and returns Samples.

competition, competition_csv   train.csv, test.csv and a folder of images
coco, coco_json                MS COCO's annotations
table, tables                  tables of one's own, and what reads them
demo, demo_pictures            a generated competition
caption_use                    what becomes of several captions of a sample
"""
