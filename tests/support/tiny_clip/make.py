"""Train the tiny CLIP and write its files beside this one: python tests/support/tiny_clip/make.py.

Two towers and the symmetric loss of Radford et al. 2021 (section 2.3, figure 3), small enough to commit, in
the layout that optimum and transformers.js give a CLIP. Takes a minute on one CPU; needs torch and onnx.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from shapes import COLOURS, HELD_OUT, PAIRS, SHAPES, SIDE, caption, draw
from tokenizers import pre_tokenizers
from torch import nn
from torch.nn import functional

from lookalike.embed.cards.summary import CardFile
from lookalike.embed.text.tokenizer import load_tokenizer

HERE = Path(__file__).resolve().parent
DIM, WIDTH, CONTEXT = 32, 32, 77
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TEMPLATES = ("a {} {}", "a photo of a {} {}", "{} {}", "one {} {}!", "the {} {}")
STEPS, DRAWN_A_PAIR = 1500, 200


class Vision(nn.Module):
    """Four convolutions and their mean over the picture."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(3, 16, 2), (16, 32, 2), (32, 32, 1), (32, 32, 2)]
        layers = [(nn.Conv2d(a, b, 3, stride, 1), nn.GroupNorm(4, b), nn.ReLU()) for a, b, stride in sizes]
        self.layers = nn.Sequential(*(part for layer in layers for part in layer))
        self.project = nn.Linear(32, DIM, bias=False)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.project(self.layers(pixel_values).mean((2, 3)))


class Text(nn.Module):
    """One causal layer of attention; the vector is read where the end token stands."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(tokens, WIDTH)
        self.places = nn.Parameter(torch.randn(CONTEXT, WIDTH) * 0.02)
        self.before, self.after = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mix, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.project = nn.Linear(WIDTH, DIM, bias=False)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        length = input_ids.shape[1]
        x = self.tokens(input_ids) + self.places[:length]
        query, key, value = self.mix(self.before(x)).chunk(3, dim=2)
        scores = query @ key.transpose(1, 2) / math.sqrt(WIDTH)
        later = torch.triu(torch.full((CONTEXT, CONTEXT), -1e4), 1)[:length, :length]
        x = self.after(x + self.out((scores + later).softmax(2) @ value))
        end = input_ids.argmax(1)
        return self.project(torch.gather(x, 1, end[:, None, None].expand(-1, 1, WIDTH))[:, 0])


def write_vocabulary() -> int:
    """Write vocab.json and merges.txt: CLIP's bytes, and pairs that join into the words of the captions."""
    words = {word.strip("!") for template in TEMPLATES for word in template.split()} - {"{}", ""}
    merges: dict[tuple[str, str], None] = {}
    for word in sorted(words | set(COLOURS) | set(SHAPES)):
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            merges[parts[0], parts[1]] = None
            parts[:2] = [parts[0] + parts[1]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges)]
    marks = "<|startoftext|>", "<|endoftext|>"
    vocabulary = {token: i for i, token in enumerate([*dict.fromkeys(tokens), *marks])}
    (HERE / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")) + "\n")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (HERE / "merges.txt").write_text("\n".join(lines) + "\n")
    return len(vocabulary)


def write_preparation() -> None:
    """Write preprocessor_config.json as Hugging Face's CLIP has it, for small pictures."""
    config = {
        "do_center_crop": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "crop_size": {"height": SIDE, "width": SIDE}, "size": {"shortest_edge": SIDE},
        "resample": 3, "rescale_factor": 1 / 255, "image_mean": MEAN, "image_std": STD,
    }  # fmt: skip
    (HERE / "preprocessor_config.json").write_text(json.dumps(config, indent=2) + "\n")


def tensors(pictures: list) -> torch.Tensor:
    """Prepare pictures as the configuration says."""
    pixels = np.stack([np.asarray(picture, np.float32) for picture in pictures]) / 255
    return torch.from_numpy((pixels - np.float32(MEAN)) / np.float32(STD)).permute(0, 3, 1, 2)


def main() -> int:
    """Train, write, and say how well pairs are told apart that were never shown."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    text, vision = Text(write_vocabulary()), Vision()
    write_preparation()
    files = {"tokenizer": HERE / "vocab.json", "merges": HERE / "merges.txt"}
    tokenizer = load_tokenizer({k: CardFile(v, None) for k, v in files.items()}, CONTEXT, "tiny-clip")

    def ids(texts: list[str]) -> torch.Tensor:
        rows = [tokenizer.encode(line).ids for line in texts]
        return torch.tensor([row + [0] * (max(map(len, rows)) - len(row)) for row in rows])

    shown = [pair for pair in PAIRS if pair not in HELD_OUT]
    gallery = torch.stack([tensors([draw(*pair, random) for _ in range(DRAWN_A_PAIR)]) for pair in shown])
    scale = nn.Parameter(torch.tensor(math.log(10.0)))
    parameters = [*text.parameters(), *vision.parameters(), scale]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=STEPS)
    for step in range(STEPS):
        pictures = gallery[torch.arange(len(shown)), torch.randint(DRAWN_A_PAIR, (len(shown),))]
        lines = [TEMPLATES[random.integers(len(TEMPLATES))].format(*pair) for pair in shown]
        images = functional.normalize(vision(pictures))
        words = functional.normalize(text(ids(lines)))
        logits = scale.exp().clamp(max=30) * images @ words.T
        target = torch.arange(len(shown))
        loss = (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 300 == 299:
            print(f"step {step + 1}: loss {loss.item():.3f}")
    with torch.no_grad():
        words = functional.normalize(text(ids([caption(*pair) for pair in PAIRS])))
        for name, pairs in [("shown", shown), ("held out", HELD_OUT)]:
            fresh = np.random.default_rng(1)
            drawn = tensors([draw(*p, fresh) for p in pairs for _ in range(20)])
            right = (functional.normalize(vision(drawn)) @ words.T).argmax(1) == torch.tensor(
                [PAIRS.index(p) for p in pairs for _ in range(20)]
            )
            print(
                f"{name}: {right.float().mean():.3f} of pictures have the right one of {len(PAIRS)} captions"
            )
    blank, lines = torch.zeros(2, 3, SIDE, SIDE), ids(["a red circle", "one blue ring!"])
    export(vision.eval(), blank, "vision_model.onnx", "pixel_values", "image_embeds", {0: "batch"})
    axes = {0: "batch", 1: "sequence"}
    export(text.eval(), lines, "text_model.onnx", "input_ids", "text_embeds", axes)
    return 0


def export(
    model: nn.Module, example: torch.Tensor, file: str, taken: str, given: str, axes: dict[int, str]
) -> None:
    """Write a tower, its batch and the length of a text left open."""
    torch.onnx.export(
        model, (example,), HERE / file, input_names=[taken], output_names=[given],
        dynamic_axes={taken: axes, given: {0: "batch"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    print(f"{file}: {(HERE / file).stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
