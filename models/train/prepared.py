"""Samples of masks, made once and kept in files: a batch a file, as bytes. In training they are mirrored and lit anew each
time, so that two cores need not make what they can use three times."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

import samples

# Part of the files' names, so that what was made by another recipe is not taken for this one's: one more for each change.
RECIPE = 1
# Pictures of 256x144 in a file, or what is as much work.
EACH = 32

_maker: samples.Maker | None = None


def start(maker: samples.Maker) -> None:
    global _maker
    cv2.setNumThreads(1)
    _maker = maker


def make(task: tuple[int, int, Path]) -> None:
    """Writes a batch: `picture` (count x rows x columns x 3, 0..255), `mask`, `parts`, `known`."""
    seed, number, target = task
    batch = _maker.batch(number, EACH, seed)
    half = target.with_suffix(".half")
    with open(half, "wb") as file:
        np.savez(file, **{name: value.numpy() for name, value in batch.items()})
    half.rename(target)


def make_all(maker: samples.Maker, work: Path, count: int, seed: int) -> list[Path]:
    """Makes what is missing of `count` batches; gives back all of them."""
    folder = work / "batches"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{RECIPE}-{number:05}.npz" for number in range(count)]
    missing = [(seed, number, path) for number, path in enumerate(paths) if not path.exists()]
    if missing:
        with ProcessPoolExecutor(os.cpu_count(), initializer=start, initargs=(maker,)) as pool:
            for _ in tqdm(pool.map(make, missing), total=len(missing), desc="batches", unit="batch"):
                pass
    return paths


def batch(path: Path, rng: np.random.Generator, again: bool) -> dict[str, torch.Tensor]:
    """A batch as it was made; `again`: half of it mirrored, in another light."""
    with np.load(path) as words:
        made = {name: words[name] for name in words}
    picture = torch.from_numpy(made.pop("picture")).permute(0, 3, 1, 2).float() / 127.5 - 1
    made = {name: torch.from_numpy(value) for name, value in made.items()}
    if again:
        count = len(picture)
        light = torch.from_numpy(np.exp(rng.normal(size=(count, 1, 1, 1)) * 0.12) * np.exp(rng.normal(size=(count, 3, 1, 1)) * 0.04))
        shade = torch.from_numpy(rng.normal(size=(count, 1, 1, 1)) * 0.06)
        picture = ((picture + 1) * light.float() - 1 + shade.float()).clamp(-1, 1)
        for index in np.flatnonzero(rng.random(count) < 0.5):
            picture[index] = picture[index].flip(2)
            made["mask"][index], made["known"][index] = made["mask"][index].flip(1), made["known"][index].flip(1)
            made["parts"][index] = torch.from_numpy(samples.MIRRORED_PARTS)[made["parts"][index].long()].flip(1)
    return {"picture": picture} | made
