"""Searching a library by words: by a model that knows them, and through the head over the default one."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_embedder import TinyEmbedder, write_photo

pytest.importorskip("tokenizers")
from PIL import Image
from tiny_clip.shapes import HELD_OUT, PAIRS, caption, draw

import lookalike as la
from lookalike.cli import main
from lookalike.embed.image.tower import ImageTower
from lookalike.library.query import Words, as_words

TINY = Path(__file__).parents[2] / "support" / "tiny_clip"
EXAMPLES = Path(__file__).parents[3] / "examples" / "photos"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of all pairs, known to a library of the tiny CLIP."""
    folder = tmp_path_factory.mktemp("shapes")
    random = np.random.default_rng(11)
    for pair in PAIRS:
        for number in range(4):
            draw(*pair, random, side=64).save(folder / f"{'-'.join(pair)}-{number}.png")
    la.Library(folder, model=TINY).sync()
    return folder


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example photos, synced with the default model."""
    folder = tmp_path_factory.mktemp("library") / "photos"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".lookalike"))
    la.Library(folder).sync()
    return folder


@pytest.fixture(scope="module")
def castles(synced: Path) -> list[str]:
    """What a search finds, and leaves a derived index behind."""
    return [path.name for path in la.Library(synced).search("castle", k=5).paths]


@pytest.fixture
def photos(synced: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synced, tmp_path / "photos"))


def no_photo(self: ImageTower, squares: np.ndarray) -> np.ndarray:
    pytest.fail("a photo was embedded")


def test_a_clips_library_is_searched_by_words(shapes: Path) -> None:
    library = la.Library(shapes, model=TINY)
    found = {pair: library.search(caption(*pair), k=4) for pair in PAIRS}
    shares = {
        pair: np.mean([p.name.startswith("-".join(pair)) for p in hits.paths]) for pair, hits in found.items()
    }
    assert np.mean(list(shares.values())) > 0.85
    assert np.mean([shares[pair] for pair in HELD_OUT]) > 0.75
    assert library.search("red", k=1).query == "red"
    # A photo is still a photo.
    assert library.search(shapes / "red-ring-0.png", k=1)[0].distance == pytest.approx(0, abs=1e-6)


def test_the_default_library_answers_words_without_embedding_a_photo(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageTower, "__call__", no_photo)
    library = la.Library(photos)
    for words, prefix, k in [
        ("castle", "castle", 5),
        ("fish", "fish", 5),
        ("a hammer", "hammer", 5),
        ("flower", "flower", 4),
    ]:
        names = [path.name for path in library.search(words, k=k).paths]
        assert all(name.startswith(prefix) for name in names), (words, names)
    # Another process finds the derived index in its file.
    monkeypatch.setattr("lookalike.library.words.build", lambda pieces: pytest.fail("made again"))
    assert la.Library(photos).search("castle") == library.search("castle")


def test_the_head_is_the_model_of_its_own(photos: Path, tmp_path: Path) -> None:
    for path in list(photos.glob("*.jpg"))[10:]:
        path.unlink()
    la.Library(photos).sync()
    own = la.Library(photos, model="words-lite0", store=tmp_path / "store")
    own.sync()
    through, direct = (
        la.Library(photos).search("an animal in a field", k=63),
        own.search("an animal in a field", k=63),
    )
    assert dict(zip(through.paths, through.distances, strict=True)) == pytest.approx(
        dict(zip(direct.paths, direct.distances, strict=True)), abs=1e-4
    )


def test_the_derived_index_follows_the_library(photos: Path) -> None:
    library = la.Library(photos)
    first = library.search("castle", k=3).paths
    first[0].unlink()
    library.sync()
    for follower in (library, la.Library(photos)):
        assert follower.search("castle", k=2).paths == first[1:]


@pytest.mark.parametrize("damage", ["gone", "cut", "of another time", "cannot be written"])
def test_the_derived_index_is_made_again_where_its_file_is_of_no_use(
    photos: Path, castles: list[str], damage: str
) -> None:
    file = photos / ".lookalike" / "words.look"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "of another time":
        index = la.Flat(metric="cosine")
        index.add(np.eye(384, dtype=np.float32))
        index.save(file)
    else:
        file.unlink()
        if damage == "cannot be written":
            file.mkdir()
    assert [path.name for path in la.Library(photos).search("castle", k=5).paths] == castles


def test_a_model_without_words_says_what_to_do(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.png", 1)
    for model in (TinyEmbedder(), "pixels"):
        library = la.Library(tmp_path, model=model)
        library.sync()
        with pytest.raises(
            la.InvalidArgument, match=r"knows none; search by a photo, or sync with .*words-lite0"
        ):
            library.search("castle")


def test_a_library_of_another_model_is_not_mixed_up(shapes: Path) -> None:
    with pytest.raises(la.InvalidArgument, match="was made with 'tiny_clip', not with 'efficientnet-lite0'"):
        la.Library(shapes).search("a red ring")


def test_an_empty_library_finds_nothing(tmp_path: Path) -> None:
    library = la.Library(tmp_path)
    library.sync()
    assert len(library.search("castle")) == 0


def test_what_is_words_and_what_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "apple").write_bytes(b"?")
    (tmp_path / "pear").mkdir()
    for query in ("red apple", "pear", "Dr. No", "x" * 5000, "a\0b"):
        assert as_words(query) == query
    for query in ("apple", "apple.JPG", "my.tiff", "a/b", tmp_path / "apple", b"apple", 5):
        assert as_words(query) is None
    assert as_words(Words("apple")) == "apple"
    for blank in ("", " \n"):
        with pytest.raises(la.InvalidArgument, match="it must be a photo or words"):
            as_words(blank)


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


def test_the_command_searches_by_words(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "out.png"
    status, out, err = call(
        capsys, "search", "a blue star", shapes, "--model", TINY, "-k", 4, "--json", "--sheet", sheet
    )
    answer = json.loads(out)
    assert (status, err, answer["query"], len(answer["hits"])) == (0, "", "a blue star", 4)
    assert Path(answer["hits"][0]["path"]).name.startswith("blue-star")
    with Image.open(sheet) as picture:
        words = np.asarray(picture.convert("L"))[36 + 30 : 36 + 30 + 360, 36 : 36 + 360]
    # Large letters on the empty mount.
    assert 0.02 < (words < 128).mean() < 0.3


@pytest.mark.parametrize("query", ["castel.jpg", "photos/castle", ""])
def test_a_mistyped_path_is_no_words(photos: Path, capsys: pytest.CaptureFixture[str], query: str) -> None:
    status, out, err = call(capsys, "search", query, photos)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert ("no such file" if query else "it must be a photo or words") in err


def test_without_the_extra_the_command_names_it(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    for name in ("tokenizer", "tower"):
        monkeypatch.delitem(sys.modules, f"lookalike.embed.text.{name}", raising=False)
    status, _, err = call(capsys, "search", "castle", photos)
    assert (status, err) == (1, "lookalike: words need tokenizers: pip install 'lookalike[text]'\n")


@pytest.mark.parametrize(
    "words", ["a", "a bee on a flower " * 40, "Donaudampfschifffahrtsgesellschaft" * 9, "猫 🐈\n"]
)
def test_any_words_can_be_drawn(words: str) -> None:
    sheet = np.asarray(la.library.PhotoHits([], Words(words)).sheet())
    assert (sheet[66:426, 36:396].min(axis=2) < 100).sum() > 20
    # Nothing runs over the edge of the mount.
    assert (sheet[66:426, 396:430].min(axis=2) > 200).all()


def test_the_shipped_recipe_ranks_examples(synced: Path) -> None:
    model = la.TextImageEmbedder("words-lite0", threads=1)
    paths = sorted(synced.glob("*.jpg"))
    groups = {
        "castle": "a castle",
        "fish": "a fish",
        "hammer": "a hammer",
        "flower": "a flower",
        "windmill": "a windmill",
    }
    kept = [path for path in paths if path.name.split("-")[0] in groups]
    nearest = (model.embed(kept) @ model.embed_text(list(groups.values())).T).argmax(axis=1)
    right = [list(groups)[row] == path.name.split("-")[0] for row, path in zip(nearest, kept, strict=True)]
    assert np.mean(right) > 0.9
