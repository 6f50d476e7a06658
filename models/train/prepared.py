"""Samples of masks, made once and kept in files: a batch a file, as bytes. In training they are changed a little each
time, so that two cores need not make what they can use three times."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

import label
import samples

# Part of the files' names, so that what was made by another recipe is not taken for this one's: one more for each change.
RECIPE = 2
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
    """A batch as it was made; `again`: half of it mirrored, all in another light, some nearer, turned, blurred or noisy."""
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
        picture = picture.numpy()
        for index in range(count):
            if rng.random() < 0.4:
                nearer(rng, picture, made, index)
            picture[index] = worse(rng, picture[index])
        picture = torch.from_numpy(picture)
    return {"picture": picture} | made


def nearer(rng: np.random.Generator, picture: np.ndarray, made: dict[str, torch.Tensor], index: int) -> None:
    """A part of a sample in place of the whole, a little turned."""
    rows, columns = picture.shape[2:]
    scale = np.exp(rng.uniform(0, 0.5))
    matrix = cv2.getRotationMatrix2D((0, 0), rng.normal() * 4, scale)
    middle = np.array([columns, rows]) * rng.uniform(0.5 / scale, 1 - 0.5 / scale, 2)
    matrix[:, 2] = np.array([columns, rows]) / 2 - matrix[:, :2] @ middle
    # The same between points that are four pixels apart.
    apart = np.array([[4, 0, 1.5], [0, 4, 1.5], [0, 0, 1]])
    coarse = (np.linalg.inv(apart) @ np.vstack([matrix, [0, 0, 1]]) @ apart)[:2]

    def warp(plane: np.ndarray, matrix: np.ndarray, flags: int, **border) -> np.ndarray:
        border = border or {"borderMode": cv2.BORDER_REFLECT_101}
        return cv2.warpAffine(np.ascontiguousarray(plane), matrix, plane.shape[1::-1], flags=flags, **border)

    picture[index] = warp(picture[index].transpose(1, 2, 0), matrix, cv2.INTER_LINEAR).transpose(2, 0, 1)
    mask, known, parts = (made[name][index].numpy() for name in ("mask", "known", "parts"))
    mask[:] = warp(mask, matrix, cv2.INTER_LINEAR)
    known[:] = warp(known, coarse, cv2.INTER_NEAREST)
    parts[:] = warp(parts, coarse, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=label.NO_PART)


def worse(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A picture, 3 x rows x columns, blurred or noisy, of other contrast or without colours, now and then."""
    kind = rng.random()
    if kind < 0.12:
        blurred = cv2.GaussianBlur(np.ascontiguousarray(picture.transpose(1, 2, 0)), (0, 0), rng.uniform(0.4, 1.1))
        picture = blurred.transpose(2, 0, 1)
    elif kind < 0.3:
        picture = picture + rng.normal(size=picture.shape).astype(np.float32) * rng.uniform(0.01, 0.07)
    # A root of less than nothing is not a number, and one of them ends all learning.
    picture = picture.clip(-1, 1)
    if rng.random() < 0.15:
        picture = ((picture + 1) / 2) ** np.exp(rng.normal() * 0.3) * 2 - 1
    if rng.random() < 0.05:
        picture = np.broadcast_to(picture.mean(axis=0, keepdims=True), picture.shape)
    return picture
