"""The parts of a classifier: encoders, fusion, head, loss, and what they are by content.

encoders       what an encoder is to those who run it
vision         vision encoders, of timm
text           text encoders, of transformers
text_family    what a family of text models is told apart by
text_weights   their models, read and checked or with random weights
tokenizer      their tokenizers
pooling        from the features of tokens to one
tfidf          TF-IDF
wordpiece      a tokenizer for encoders that bring none
constant       an encoder that sees no sample
fusion         from the features of each modality to one
heads          from fused features to logits
losses         losses of logits against labels
classifier     encoders, fusion and head as one module
build          classifier, optimizer and scheduler from their config nodes
smoke_check    each part tried on a sample or two
hub, package   where weights come from
weights        weights read without running what the files contain
identity       what an encoder is, by content
source_code    what the code of a part is, by content
description    what it takes to build an encoder again, and its files
describe       the description of an encoder
"""
