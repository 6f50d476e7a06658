"""Frames to learn keypoints from: scenes as in `samples`, with what BodyPix says of the very frame.

Poses that were found in a whole picture are not those that BodyPix finds when a face fills the frame, and a network that is
to take its place should say what it says there. So scenes are made once, at twice the size of our input, and BodyPix looks
at each of them at the input at which keypoints are compared in the end. What is random in training after that is light,
noise, mirroring and a little zoom.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

import poses
import samples
from teachers import BODYPIX, BodyPix

# Every so many files are of people who have a hand up, which is rare in pictures and not in calls.
HANDS_UP = 3
# How often a sample is of nobody: of rooms that would be taken for people otherwise. BodyPix is not asked about them.
NOBODY = 0.18
# How often a sample of somebody has a hand in it: wrists are the hardest to learn, and fewer than a third of the frames show
# one that BodyPix is sure of.
HANDS = 0.5
# Part of the files' names, so that what was made by another recipe is not taken for this one's: one more for each change.
RECIPE = 2
# Scenes of a file, of one size all.
EACH = 200
QUALITY = 94

# JPEG and poses.
Frame = tuple[np.ndarray, np.ndarray]

_maker: samples.Maker | None = None
_bodypix: BodyPix | None = None


def start(maker: samples.Maker, model: Path) -> None:
    global _maker, _bodypix
    cv2.setNumThreads(1)
    _maker, _bodypix = maker, BodyPix(model)


def make(task: tuple[int, int, Path]) -> None:
    """Writes the scenes of a number: `pictures` as JPEG, one after the other up to `ends`; `poses`, as many as `counts`
    says of each; and the input's `size`, which is half of the pictures'."""
    seed, number, target = task
    rng = np.random.default_rng([seed, 1, number])
    size = samples.any_size(rng)
    pictures, found = [], []
    for _ in range(EACH):
        picture = _maker.scene(rng, size, samples.POSE_SHARES, number % HANDS_UP == HANDS_UP - 1).picture
        seen, heads = _bodypix.heads(picture)
        found.append(poses.decode(heads, seen, picture.shape[:2]))
        _, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        pictures.append(code)
    half = target.with_suffix(".half")
    with open(half, "wb") as file:
        np.savez(
            file,
            pictures=np.concatenate(pictures),
            ends=np.cumsum([len(code) for code in pictures]),
            poses=np.concatenate(found),
            counts=[len(poses) for poses in found],
            size=size,
        )
    half.rename(target)


def make_all(maker: samples.Maker, data: Path, work: Path, count: int, seed: int) -> list[Path]:
    """Makes what is missing of `count` files; gives back all of them."""
    folder = work / "frames"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{RECIPE}-{number:04}.npz" for number in range(count)]
    missing = [(seed, number, path) for number, path in enumerate(paths) if not path.exists()]
    if missing:
        with ProcessPoolExecutor(os.cpu_count(), initializer=start, initargs=(maker, data / "models" / BODYPIX)) as pool:
            for _ in tqdm(pool.map(make, missing), total=len(missing), desc="frames", unit="file"):
                pass
    return paths


def hand_seen(found: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether BodyPix is sure of a wrist within a frame of twice `size`."""
    wrists = found[:, poses.WRISTS]
    inside = (wrists[:, :, :2] >= 0).all(axis=2) & (wrists[:, :, :2] < 2 * np.array(size)).all(axis=2)
    return bool((inside & (wrists[:, :, 2] > samples.SURE)).any())


class Frames:
    """Makes samples of them, and of rooms without people."""

    def __init__(self, paths: list[Path], maker: samples.Maker):
        self.maker = maker
        # By the size of the input and by whether a hand is seen.
        self.frames: dict[tuple[int, int], tuple[list[Frame], list[Frame]]] = {}
        for path in paths:
            with np.load(path) as words:
                pictures = np.split(words["pictures"], words["ends"][:-1])
                found = np.split(words["poses"], np.cumsum(words["counts"])[:-1])
                size = tuple(words["size"].tolist())
            kinds = self.frames.setdefault(size, ([], []))
            for frame in zip(pictures, found):
                kinds[hand_seen(frame[1], size)].append(frame)

    def __len__(self) -> int:
        return sum(map(self.count, self.frames))

    def count(self, size: tuple[int, int]) -> int:
        return sum(map(len, self.frames[size]))

    def batch(self, number: int, count: int, seed: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([seed, 2, number])
        sizes = list(self.frames)
        shares = np.array([self.count(size) for size in sizes]) / len(self)
        size = sizes[rng.choice(len(sizes), p=shares)]
        made = []
        for _ in range(samples.as_much(count, size)):
            empty = rng.random() < NOBODY
            made.append(self.room(rng, size) if empty else self.sample(rng, size, *self.pick(rng, size)))
        return samples.stacked(made)

    def pick(self, rng: np.random.Generator, size: tuple[int, int]) -> Frame:
        others, hands = self.frames[size]
        frames = hands if hands and (not others or rng.random() < HANDS) else others
        return frames[rng.integers(len(frames))]

    def room(self, rng: np.random.Generator, size: tuple[int, int]) -> dict[str, np.ndarray]:
        return {"picture": self.maker.scene(rng, size, {"nobody": 1.0}).seen()} | samples.pose_targets([], size)

    def sample(
        self, rng: np.random.Generator, size: tuple[int, int], code: np.ndarray, found: np.ndarray
    ) -> dict[str, np.ndarray]:
        """A part of the frame, mirrored or not, as a camera may show it."""
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
        scale = 0.5 * np.exp(rng.uniform(0, 0.25))
        room = [picture.shape[1] - size[0] / scale, picture.shape[0] - size[1] / scale]
        left, top = rng.uniform(0, 1, 2) * room
        mirrored = rng.random() < 0.5
        # Of edges of pixels, as poses are; the middle of the first pixel is half a pixel further.
        turn = np.array([-scale if mirrored else scale, scale])
        shift = np.array([size[0] + left * scale if mirrored else -left * scale, -top * scale])
        matrix = np.column_stack([np.diag(turn), shift + 0.5 * turn - 0.5])
        seen = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        moved = found.copy()
        moved[:, :, :2] = found[:, :, :2] * turn + shift - 0.5
        if mirrored:
            moved = moved[:, poses.MIRRORED]
        return {"picture": samples.planes(samples.degraded(rng, seen))} | samples.pose_targets(list(moved), size)
