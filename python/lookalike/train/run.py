"""A training from beginning to end: a folder of labelled images in, a model's folder out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._progress import ProgressBar
from ..embed.image.embedder import ImageEmbedder
from ..embed.runtime.stream import available_threads
from ..errors import InvalidArgument, ModelError
from .data.batches import fit_batch
from .data.examples import Examples, read_folder
from .data.split import Split, split_classes, usable_classes
from .extras import require, torch
from .loop.checkpoint import load_checkpoint, save_checkpoint
from .loop.interrupt import finish_step_first
from .loop.losses import make_loss
from .loop.scores import score
from .loop.training import Part, Source, Training
from .output.model_folder import ONNX_FILE, check_output, make_folder
from .output.report import Origin, TrainingReport, write_all
from .recipes import Recipe, choose
from .settings import Settings

# What may change when a training is resumed; everything else shaped what was learned so far.
_MAY_CHANGE = {"epochs", "patience"}
# So many images, or twice that, are compared; by so much may a vector's numbers differ.
_COMPARED, _TOLERANCE = 8, 1e-4


@dataclass(frozen=True)
class _Job:
    """A training that passed its checks: where it goes, what it is made of, and the checkpoint it resumes."""

    place: Path
    settings: Settings
    examples: Examples
    saved: dict[str, Any] | None
    origin: Origin
    began: float


def train(
    folder: str | os.PathLike[str] | Examples,
    output: str | os.PathLike[str],
    *,
    license: str = "unstated",
    resume: bool = False,
    overwrite: bool = False,
    threads: int | None = None,
    progress: bool = False,
    command: str = "lookalike.train.train(...)",
    **choices: Any,
) -> TrainingReport:
    """Learn an embedding from labelled images, so that those of one class lie closer than others.

    Parameters
    ----------
    folder
        A folder that holds a folder of images for each class, or `Examples`.
    output
        The model's folder to write: ``model.toml``, ``model.onnx``, ``training.json``, ``curves.png``, and
        ``checkpoint.pt``, with which an interrupted training is resumed.
    license
        The licence the model is under, for its ``model.toml``; it is yours to state.
    resume
        Resume the training in `output`, with the settings it began with.
    overwrite
        Remove a training that is there already.
    threads
        CPUs to use; all this process may use when left out.
    progress
        Show bars on stderr.
    command
        What to write into ``model.toml`` as the way it was made.
    **choices
        The fields of `Settings`.

    Returns
    -------
    TrainingReport
        What was learned from, and how good it is for classes it was not learned from.

    Raises
    ------
    InvalidArgument
        A setting cannot be, there are too few images or classes, the output folder holds other things, or the
        loss is no number any more.
    ImportError
        The extra is missing: ``pip install 'lookalike[train]'``.
    CorruptFile
        The checkpoint to resume from is damaged.

    Examples
    --------
    >>> from lookalike.train import train
    >>> train("photos", "photos", loss="magic")
    Traceback (most recent call last):
    lookalike.errors.InvalidArgument: loss is 'magic'; it must be one of multi-similarity, triplet, ...
    """
    began = time.time()
    settings = Settings(**choices)
    if not license.strip():
        raise InvalidArgument(f"license is {license!r}; it must be the licence to state, or 'unstated'")
    require()
    place = Path(output)
    examples = folder if isinstance(folder, Examples) else read_folder(folder)
    usable_classes(examples)
    check_output(place, resume, overwrite)
    saved = load_checkpoint(place) if resume else None
    if saved is not None:
        settings = _settings_of(saved, examples, choices, place)
    name = "examples" if isinstance(folder, Examples) else os.fspath(folder)
    job = _Job(place, settings, examples, saved, Origin(name, command, license), began)
    return _run(job, threads, progress)


def _run(job: _Job, threads: int | None, progress: bool) -> TrainingReport:
    """Read the images, train, and write the folder."""
    settings, place = job.settings, job.place
    recipe = choose(settings, threads)
    source, kept = recipe.read(job.examples, progress)
    usable, single = usable_classes(kept)
    split = split_classes(usable, settings.validation_classes, settings.seed)
    learned, unseen = _part(kept, split.training), _part(kept, split.validation)
    with _torch_settings(settings.seed, threads):
        training = _training(recipe, source, learned, unseen, split, settings)
        if job.saved is not None:
            training.restore(job.saved)
        make_folder(place, resume=job.saved is not None)
        about = {"settings": json.dumps(settings.as_json()), "data": job.examples.fingerprint()}
        _learn(training, place, about, progress)
        training.network.load_state_dict(training.best_weights)
        spec = recipe.export(training.network.eval(), place / ONNX_FILE)
        report = TrainingReport(
            folder=place,
            images=len(learned.rows),
            validation_images=len(unseen.rows),
            training_classes=split.training,
            validation_classes=split.validation,
            skipped=kept.skipped + single,
            before=score(recipe.baseline(unseen.rows), unseen.labels) if split.validation else None,
            curve=training.course.curve,
            best=training.course.best,
            dim=recipe.dim,
            seconds=time.time() - job.began,
        )
        write_all(report, settings, spec, recipe.base, job.origin)
        _check_export(training, source, learned, place)
    return report


def _settings_of(saved: dict[str, Any], examples: Examples, choices: dict[str, Any], place: Path) -> Settings:
    """Return the settings a training began with, changed where they may be."""
    began_with = json.loads(saved["settings"])
    for key, value in Settings(**choices).as_json().items():
        if key in choices and key not in _MAY_CHANGE and value != began_with[key]:
            raise InvalidArgument(
                f"{key} is {value!r}, but the training in {place} began with {began_with[key]!r}; it must be "
                f"the same, or a new training (only {' and '.join(sorted(_MAY_CHANGE))} may change)"
            )
    if saved["data"] != examples.fingerprint():
        raise InvalidArgument(
            f"the images are not those that the training in {place} began with; they must have the same "
            "names in the same class folders"
        )
    return Settings.of_json(began_with | {key: choices[key] for key in _MAY_CHANGE & choices.keys()})


def _part(examples: Examples, names: list[str]) -> Part:
    """Return the rows of some classes, and their classes renumbered."""
    numbers = np.full(len(examples.classes), -1)
    numbers[[examples.classes.index(name) for name in names]] = np.arange(len(names))
    labels = numbers[examples.labels]
    rows = np.flatnonzero(labels >= 0)
    return Part(rows, labels[rows].astype(np.int64))


def _training(
    recipe: Recipe, source: Source, learned: Part, unseen: Part, split: Split, settings: Settings
) -> Training:
    batch = fit_batch(learned.labels, split.training, settings.classes_per_batch, settings.images_per_class)
    network = recipe.network(learned)
    loss = make_loss(settings.loss, len(split.training), recipe.dim)
    return Training(network, loss, source, learned, unseen if split.validation else None, settings, batch)


def _learn(training: Training, place: Path, about: dict[str, str], progress: bool) -> None:
    """Learn until done, with a checkpoint after every epoch, and one when interrupted."""
    bar = ProgressBar(training.steps_left, "learning", "batches") if progress else None

    def save() -> None:
        save_checkpoint(place, {**about, **training.state()})

    with finish_step_first() as interrupted:

        def after_step() -> None:
            if bar:
                bar.advance()
            if interrupted():
                save()
                raise KeyboardInterrupt

        while not training.done:
            training.learn_epoch(after_step)
            save()
            if bar:
                bar.note = training.course.summary()
    if bar:
        bar.close()


def _check_export(training: Training, source: Source, learned: Part, place: Path) -> None:
    """Raise ModelError where the library does not get from the model what PyTorch did."""
    rows = learned.rows[:: max(1, len(learned.rows) // _COMPARED)]
    vectors = ImageEmbedder(place, device="cpu", threads=1).embed(source.images(rows))
    worst = float(np.abs(vectors - training.embed(rows)).max())
    if not worst <= _TOLERANCE:
        raise ModelError(
            f"model {place}: its vectors differ from those that were learned by {worst:.1e}; it must be at "
            f"most {_TOLERANCE:g}. The checkpoint is kept"
        )


@contextmanager
def _torch_settings(seed: int, threads: int | None) -> Iterator[None]:
    """Let torch use so many threads and draw from this seed, and put both back as they were."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or available_threads())
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
