"""What must hold of the training, without training: `python tests.py DATA` (the data folder)."""

import sys
from pathlib import Path

import numpy as np
import torch

import poses
import samples
import sources
from network import Network


def nothing_that_is_held_out_is_trained_on(data: Path) -> None:
    names = {source.path.relative_to(data).as_posix() for source in sources.sources(data)}
    for forbidden in ("webcam/real_gt", "webcam/easyportrait_tiles", "webcam/hagrid_tiles", "coco_person_cc", "ccp/upper"):
        assert not any(name.startswith(forbidden) for name in names), forbidden
    upper = {path.stem for path in (data / "ccp/upper_images").glob("*.jpg")}
    assert upper and not any(name.startswith("ccp/images") and Path(name).stem in upper for name in names)
    for speaker in sources.HELD_OUT_SPEAKERS:
        assert not any(speaker in name for name in names), speaker


def keypoints_are_where_the_heads_say(_: Path) -> None:
    pose = np.zeros((17, 3), np.float32)
    pose[:, 0], pose[:, 1], pose[:, 2] = np.linspace(30, 200, 17), np.linspace(20, 120, 17), 1.0
    targets = samples.pose_targets([pose], (256, 144))
    vectors = targets["vectors"].astype(np.float32)
    for keypoint in range(17):
        for row, column in np.argwhere(targets["heat"][keypoint] == 1):
            x = column * 8 + 3.5 + vectors[17 + keypoint, row, column] * samples.RADIUS
            y = row * 8 + 3.5 + vectors[keypoint, row, column] * samples.RADIUS
            assert np.hypot(x - pose[keypoint, 0], y - pose[keypoint, 1]) < 0.1
    for edge, (parent, child) in enumerate(poses.EDGES):
        row, column = np.argwhere(targets["heat"][parent] == 1)[0]
        x = column * 8 + 3.5 + vectors[34 + 16 + edge, row, column] * samples.REACH
        assert abs(x - pose[child, 0]) < 0.2


def outputs_have_their_sizes(_: Path) -> None:
    heads = Network().eval()(torch.zeros(1, 3, 144, 256))
    assert heads["segments"].shape == (1, 1, 36, 64) and heads["heatmaps"].shape == (1, 17, 18, 32)


if __name__ == "__main__":
    for test in (nothing_that_is_held_out_is_trained_on, keypoints_are_where_the_heads_say, outputs_have_their_sizes):
        test(Path(sys.argv[1]))
        print(f"{test.__name__.replace('_', ' ')}: passed")
