"""Keypoints: from BodyPix's heads to poses, and from poses to what our heads are to say.

The layout of the heads is BodyPix's: 17 heatmaps; 17 short offsets, rows first; 16 displacements along the tree's edges,
rows first, from parent to child and from child to parent. Decoding is greedy, after Papandreou et al., "PersonLab",
ECCV 2018.
"""

from __future__ import annotations

import numpy as np

EDGES = [(0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11), (11, 13), (13, 15), (0, 6), (6, 8), (8, 10),
         (6, 12), (12, 14), (14, 16)]  # fmt: skip
# Which keypoint is which in a mirror image.
MIRRORED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
WRISTS = [9, 10]
MOST = 5
# Pixels, at an input of so many, within which two keypoints of the same name are one.
NEAR = 20.0
NEAR_AREA = 257 * 145
LEAST = 0.15

# Nose, eyes, shoulders, wrists; the score from which on the reference is believed; share of the person's height.
COMPARED = [0, 1, 2, 5, 6, 9, 10]
SURE = 0.5
NEAR_SHARE = 0.05


def decode(
    heads: dict[str, np.ndarray], size: tuple[int, int], shape: tuple[int, int], cells: bool = False
) -> np.ndarray:
    """Poses of a picture of `shape` (rows, columns): count x 17 x (x, y, score), in pixels. A grid's values lie on the
    edges of the input, of `size` (columns, rows), or in the middle of `cells`."""
    logits = heads["heatmaps"]
    rows, columns, _ = logits.shape
    if cells:
        step = np.array([size[0] / columns, size[1] / rows])
        origin = (step - 1) / 2
    else:
        step = np.array([(size[0] - 1) / (columns - 1), (size[1] - 1) / (rows - 1)])
        origin = np.zeros(2)
    near = NEAR * (size[0] * size[1] / NEAR_AREA) ** 0.5
    scores = 1 / (1 + np.exp(-logits))

    def at(place, head, channels):
        x, y = np.clip((place - origin) / step, 0, [columns - 1, rows - 1])
        x0, y0 = int(x), int(y)
        x1, y1, fx, fy = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1), x - int(x), y - int(y)
        upper = head[y0, x0, channels] * (1 - fx) + head[y0, x1, channels] * fx
        lower = head[y1, x0, channels] * (1 - fx) + head[y1, x1, channels] * fx
        return upper * (1 - fy) + lower * fy

    def moved(place, head, value, count):
        place = np.clip(place, 0, [size[0] - 1, size[1] - 1])
        return place + at(place, head, [value + count, value])

    def refined(place, keypoint):
        for _ in range(3):
            place = moved(place, heads["short_offsets"], keypoint, 17)
        return place

    around = np.full((9, rows + 2, columns + 2, 17), -np.inf, np.float32)
    for index in range(9):
        around[index, index // 3 : index // 3 + rows, index % 3 : index % 3 + columns] = logits
    highest = around.max(axis=0)[1:-1, 1:-1]
    roots = np.argwhere((logits >= highest) & (logits > 0))
    order = np.argsort(-logits[tuple(roots.T)], kind="stable")
    found: list[np.ndarray] = []
    tries = 0
    for y, x, keypoint in roots[order]:
        place = refined(np.array([x, y]) * step + origin, keypoint)
        if any(np.hypot(*(pose[keypoint, :2] - place)) < near for pose in found):
            continue
        tries += 1
        if len(found) == MOST or tries > 60:
            break
        pose = np.full((17, 3), np.nan)
        pose[keypoint] = *place, scores[y, x, keypoint]
        steps = [(edge, child, parent, "displacement_bwd") for edge, (parent, child) in reversed(list(enumerate(EDGES)))]
        steps += [(edge, parent, child, "displacement_fwd") for edge, (parent, child) in enumerate(EDGES)]
        for edge, start, end, head in steps:
            if not np.isnan(pose[start, 0]) and np.isnan(pose[end, 0]):
                target = refined(moved(pose[start, :2], heads[head], edge, len(EDGES)), end)
                pose[end] = *target, at(target, scores, [end])[0]
        own = [all(np.hypot(*(other[k, :2] - pose[k, :2])) > near for other in found) for k in range(17)]
        if pose[own, 2].sum() / 17 >= LEAST:
            found.append(pose)
    poses = np.array(found, np.float32).reshape(-1, 17, 3)
    poses[:, :, 0] = (poses[:, :, 0] + 0.5) * shape[1] / size[0]
    poses[:, :, 1] = (poses[:, :, 1] + 0.5) * shape[0] / size[1]
    return poses


def hand_up(pose: np.ndarray, sure: float) -> bool:
    """Whether a wrist is above its elbow, both of a score above `sure`."""
    arms = ((7, 9), (8, 10))
    return any(min(pose[elbow, 2], pose[wrist, 2]) > sure and pose[wrist, 1] < pose[elbow, 1] for elbow, wrist in arms)


def compare(reference: np.ndarray, found: np.ndarray, height: float) -> tuple[int, int]:
    """How many keypoints of the reference's best pose are compared, and how many of them some found pose has within a
    twentieth of `height`, the person's in pixels."""
    if not len(reference):
        return 0, 0
    best = max(reference, key=lambda pose: pose[:, 2].sum())
    sure = [keypoint for keypoint in COMPARED if best[keypoint, 2] > SURE]
    near = lambda pose: int((np.hypot(*(pose[sure, :2] - best[sure, :2]).T) <= NEAR_SHARE * height).sum())
    return len(sure), max(map(near, found), default=0)
