"""CLIP's tokens, against published ones and against another implementation."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("tokenizers")

from lookalike.embed.cards.summary import CardFile
from lookalike.embed.text.tokenizer import load_tokenizer
from lookalike.errors import ModelError

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "models" / "clip" / "bpe_simple_vocab_16e6.txt.gz"
GOLDEN = json.loads((ROOT / "tests" / "golden" / "clip-tokens.json").read_text(encoding="utf-8"))
START, END = 49406, 49407


def load(length: int = 77, **files: Path):
    return load_tokenizer({name: CardFile(path, None) for name, path in files.items()}, length, "clip")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same vocabulary as Hugging Face keeps it: vocab.json and merges.txt."""
    folder = tmp_path_factory.mktemp("pair")
    lines = gzip.decompress(PUBLISHED.read_bytes()).decode().splitlines()[1 : 49152 - 256 - 2 + 1]
    # The letters of bytes, in the order of OpenAI's bytes_to_unicode.
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(b) for b in shown] + [chr(0x100 + n) for n in range(256 - len(shown))]
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(line.replace(" ", "") for line in lines)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]), encoding="utf-8")
    return {"tokenizer": folder / "vocab.json", "merges": folder / "merges.txt"}


@pytest.fixture(scope="module")
def clip():
    return load(tokenizer=PUBLISHED)


# What OpenAI's and Hugging Face's tokenizers were published to give: in the notes and tests of projects that
# compare themselves with them (Bumblebee, Captum, open_clip's users).
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("a photo of a dog", [320, 1125, 539, 320, 1929]),
        ("a diagram", [320, 22697]),
        ("this is a test!", [589, 533, 320, 1628, 256]),
        ("a picture of a cat.", [320, 1674, 539, 320, 2368, 269]),
        ("a photograph of an astronaut riding a horse", [320, 8853, 539, 550, 18376, 6765, 320, 4558]),
        ("Hello, WORLD!! (test-123)", [3306, 267, 1002, 748, 263, 1628, 268, 272, 273, 274, 264]),
        ("it's a cat's toy, running   fast", [585, 568, 320, 2368, 568, 5988, 267, 2761, 1953]),
        ("I can't believe it's not butter", [328, 753, 713, 2649, 585, 568, 783, 6952]),
        ("they're working on it", [889, 982, 1699, 525, 585]),
        ("email: user@example.com", [4462, 281, 7031, 287, 6228, 269, 2464]),
        ("  HELLO   World  ", [3306, 1002]),
        ("MacBook Pro 16-inch", [20617, 2630, 272, 277, 268, 6523]),
        ("birthday cake 2024", [1166, 2972, 273, 271, 273, 275]),
        ("mobileclip", [9451, 944, 8546]),
        ("hatbox", [3447, 2063]),
        ("hat box", [3801, 2063]),
        ("café", [15304]),
        ("🐶", [10631]),
        ("", []),
    ],
)
def test_published_tokens(clip, text: str, tokens: list[int]) -> None:
    assert clip.encode(text).ids == [START, *tokens, END]


@pytest.mark.parametrize(("text", "tokens"), GOLDEN["tokens"], ids=lambda value: repr(value)[:30])
def test_tokens_of_an_independent_implementation(clip, text: str, tokens: list[int]) -> None:
    assert clip.encode(text).ids == tokens


def test_all_forms_of_the_vocabulary_agree(clip, pair: dict[str, Path], tmp_path: Path) -> None:
    from_pair = load(**pair)
    from_pair.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "plain.txt").write_bytes(gzip.decompress(PUBLISHED.read_bytes()))
    others = [from_pair, load(tokenizer=tmp_path / "tokenizer.json"), load(tokenizer=tmp_path / "plain.txt")]
    assert clip.get_vocab_size() == END + 1
    for other in others:
        assert other.get_vocab() == clip.get_vocab()
        assert all(other.encode(text).ids == tokens for text, tokens in GOLDEN["tokens"])


def test_long_text_is_cut_and_still_ends() -> None:
    ids = load(9, tokenizer=PUBLISHED).encode("waterfall " * 1000).ids
    assert ids == [START, *[16403] * 7, END]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bad.json", b"{"),
        ("bad.json", b"\xff"),
        ("bad.txt.gz", b"not gzip"),
        ("bad.txt", b"#version\na b c\n"),
        ("cut.txt.gz", PUBLISHED.read_bytes()[:1000]),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=f"{name} is not a tokenizer's file"):
        load(tokenizer=tmp_path / name)


def test_a_vocabulary_without_its_marks_is_named(pair: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(pair["merges"], tmp_path)
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(ModelError, match=r"vocab.json is not a tokenizer's file: lacks '<\|startoftext\|>'"):
        load(tokenizer=tmp_path / "vocab.json", merges=tmp_path / "merges.txt")
