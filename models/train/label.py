"""What the teachers say of every picture, once, into files."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

import poses
import sources
from teachers import Teachers

# Part of the body where there is no body.
NO_PART = 255

_teachers: Teachers | None = None


def start(models: Path) -> None:
    global _teachers
    cv2.setNumThreads(1)
    _teachers = Teachers(models)


def label(task: tuple[sources.Source, Path]) -> None:
    """Writes `mask` (rows x columns, 0..255), `unknown` (the same: where the mask says nothing), `given` (whether
    by hand or better teachers), `agreement`, `parts` (rows/4 x columns/4,
    0..23 or NO_PART) and `poses` (count x 17 x 3) of a picture."""
    source, target = task
    picture = source.picture()
    shape = picture.shape[:2]
    given, unknown = source.label(shape[::-1]), source.unknown(shape[::-1])
    if given is None:
        mask, agreement, size, heads = _teachers.label(picture)
    else:
        mask, agreement, (size, heads) = given, 1.0, _teachers.bodypix.heads(picture)
    kept = mask if given is None else given / 255.0
    small = (max(shape[1] // 4, 1), max(shape[0] // 4, 1))
    parts = cv2.resize(heads["part_heatmaps"], small, interpolation=cv2.INTER_LINEAR).argmax(axis=2).astype(np.uint8)
    parts[cv2.resize(kept.astype(np.float32), small, interpolation=cv2.INTER_AREA) < 0.5] = NO_PART
    if unknown is not None:
        parts[cv2.resize(unknown, small, interpolation=cv2.INTER_AREA) > 0] = NO_PART
    words = {
        "picture": picture,
        "mask": np.round(mask * 255).astype(np.uint8) if given is None else given,
        "unknown": np.zeros(shape, np.uint8) if unknown is None else unknown,
        "given": given is not None,
        "agreement": agreement,
        "parts": parts,
        "poses": poses.decode(heads, size, shape),
    }
    # Whole or not at all: what is there is not made again.
    half = target.with_suffix(".half")
    with open(half, "wb") as file:
        np.savez(file, **words)
    half.rename(target)


def label_all(data: Path, work: Path) -> list[tuple[sources.Source, Path]]:
    """Labels what has no labels yet; gives back all pictures with their files."""
    folder = work / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [(source, folder / f"{source.name}.npz") for source in sources.sources(data)]
    missing = [task for task in tasks if not task[1].exists()]
    if missing:
        with ProcessPoolExecutor(os.cpu_count(), initializer=start, initargs=(data / "models",)) as pool:
            for _ in tqdm(pool.map(label, missing, chunksize=8), total=len(missing), desc="labels", unit="picture"):
                pass
    return tasks
