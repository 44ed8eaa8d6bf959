"""Text to tokens. The only file that imports tokenizers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

try:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
except ImportError as error:
    raise ImportError("words need tokenizers: pip install 'lookalike[text]'") from error

from ...errors import ModelError
from ..cards.summary import CardFile

_START, _END, _WORD_END = "<|startoftext|>", "<|endoftext|>", "</w>"
# Of the lines of OpenAI's file, these many are merges; the rest were left out of the vocabulary.
_CLIP_MERGES = 49152 - 256 - 2
# A word as OpenAI published it with CLIP (Radford et al. 2021): contractions, letters, a digit, signs.
_CLIP_WORD = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def load_tokenizer(files: Mapping[str, CardFile], length: int, model: str) -> Tokenizer:
    """Make a tokenizer that gives at most `length` tokens, its marks for start and end included.

    `files` holds "tokenizer" alone, a ``tokenizer.json`` or OpenAI's ``bpe_simple_vocab_16e6.txt.gz``, or a
    ``vocab.json`` with its ``merges.txt`` as "merges"; the latter two are taken for CLIP's.

    Raises
    ------
    ModelError
        Where a file is missing, damaged, or no such thing; the message names it.
    """
    data = {name: file.read(model) for name, file in files.items()}
    path = files["tokenizer"].path
    try:
        if "merges" in data:
            vocabulary = json.loads(data["tokenizer"])
            tokenizer = _clip(vocabulary, _merges(data["merges"].decode("utf-8").splitlines()))
        elif path.suffix == ".json":
            tokenizer = Tokenizer.from_str(data["tokenizer"].decode("utf-8"))
        else:
            plain = gzip.decompress(data["tokenizer"]) if path.suffix == ".gz" else data["tokenizer"]
            merges = _merges(plain.decode("utf-8").splitlines())[:_CLIP_MERGES]
            tokenizer = _clip(_clip_vocabulary(merges), merges)
        tokenizer.no_padding()
        tokenizer.enable_truncation(length)
    # The library raises plain Exceptions.
    except Exception as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else error
        raise ModelError(f"model {model}: {path} is not a tokenizer's file: {reason}") from error
    return tokenizer


def _merges(lines: list[str]) -> list[tuple[str, str]]:
    """Read lines of two parts, under a first line that says the version."""
    pairs = [line.split() for line in lines[1:] if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("a line of merges is not two parts")
    return [(left, right) for left, right in pairs]


def _clip_vocabulary(merges: list[tuple[str, str]]) -> dict[str, int]:
    """Return CLIP's tokens by number: bytes, bytes that end a word, merges in order, and the two marks."""
    # Each byte is written as a letter; OpenAI's order of them is that of their code points.
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(letter + _WORD_END for letter in letters)]
    tokens += [left + right for left, right in merges]
    return {token: number for number, token in enumerate([*tokens, _START, _END])}


def _clip(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    """Configure a tokenizer as CLIP's: lower case, byte-level pairs, words that end in ``</w>``."""
    start, end = vocabulary[_START], vocabulary[_END]
    model: Any = models.BPE(
        vocab=vocabulary, merges=merges, end_of_word_suffix=_WORD_END, unk_token=_END, fuse_unk=False
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORD), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}", special_tokens=[(_START, start), (_END, end)]
    )
    return tokenizer
