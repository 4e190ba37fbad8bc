"""A WordPiece tokenizer trained on captions, for text encoders without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import WordPiece
from transformers import PreTrainedTokenizerFast

from mmclf.errors import InputError

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def train_wordpiece(captions: Sequence[str], vocab_size: int = 8000) -> Any:
    """Train a tokenizer of transformers with BERT's rules on `captions`.

    Deterministic for the same captions. Raises InputError if there are none.
    """
    if len(captions) == 0:
        raise InputError("a WordPiece vocabulary needs training captions, and there are none")
    trained = _with_bert_rules(WordPiece(unk_token="[UNK]"))  # noqa: S106
    # The trainer would number the continuations ##x in varying order, and break ties by number.
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*SPECIAL, *_continuation_tokens(trained, captions)],
        show_progress=False,
    )
    trained.train_from_iterator(captions, trainer)
    tokenizer = _with_bert_rules(WordPiece(trained.get_vocab(), unk_token="[UNK]"))  # noqa: S106
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",  # noqa: S106
        unk_token="[UNK]",  # noqa: S106
        cls_token="[CLS]",  # noqa: S106
        sep_token="[SEP]",  # noqa: S106
        mask_token="[MASK]",  # noqa: S106
    )


def _with_bert_rules(model: WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _continuation_tokens(tokenizer: Tokenizer, captions: Sequence[str]) -> list[str]:
    """The token `##x` for every character x that occurs inside a word."""
    characters: set[str] = set()
    for caption in captions:
        text = tokenizer.normalizer.normalize_str(caption)
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text):
            characters.update(word[1:])
    return [f"##{character}" for character in sorted(characters)]
