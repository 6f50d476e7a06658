"""What is learned: masks first, then keypoints with the rest as it is.

There are two stages because masks and keypoints want the same few weights for different things: more weight on keypoints
cost masks. The second one has labels of its own (`frames`), which are made for the very frames that are trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

import label
import poses
import prepared
import samples
from frames import HANDS, Frames
from network import Network
from teachers import BodyPix

SEED = 20261125
# Columns and rows of the pictures that are checked with.
CHECKED = (640, 360)
INPUT = (256, 144)
# What logits may be moved by when the mask is learned; nothing first.
SHIFTS = sorted((round(0.05 * step, 2) for step in range(-20, 21)), key=abs)


def upper(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The upper 16:9 of a picture or a mask."""
    high = min(plane.shape[0], round(plane.shape[1] * 9 / 16))
    return cv2.resize(plane[:high], size, interpolation=cv2.INTER_AREA)


def tensor(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(samples.planes(picture))[None].float()


def device(network: Network) -> torch.device:
    return next(network.parameters()).device


def said(heads: Callable[[torch.Tensor], dict[str, torch.Tensor]], picture: torch.Tensor) -> dict[str, torch.Tensor]:
    """What heads say, computed in halves."""
    with torch.autocast(picture.device.type, torch.bfloat16):
        return {name: value.float() for name, value in heads(picture).items()}


class Masks:
    """Masks and body parts, from samples that were made before."""

    name = "masks"
    count = prepared.EACH

    def __init__(self, paths: list[Path], validation: list[samples.Labelled]):
        self.paths, self.facts = paths, {"batches_made": len(paths)}
        self.validation = [
            (tensor(upper(one.picture, INPUT)), torch.from_numpy(upper(one.mask, INPUT))) for one in validation
        ]

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        again, index = divmod(number, len(self.paths))
        rng = np.random.default_rng([SEED, 3, number])
        if again:
            index = np.random.default_rng([SEED, 4, again]).permutation(len(self.paths))[index]
        return prepared.batch(self.paths[index], rng, again > 0)

    def layers(self, network: Network) -> list[torch.nn.Module]:
        return network.mask_layers()

    def careful(self, network: Network) -> list[torch.nn.Module]:
        return network.encoder()

    def losses(self, network: Network, picture: torch.Tensor, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return mask_losses(said(network.masks, picture), batch)

    def check(self, network: Network) -> dict[str, float]:
        """Mean IoU."""
        return {"IoU": overlap(self.seen(network), 0.0)}

    def calibrate(self, network: Network) -> float:
        """Moves the logits of the mask to where the mean IoU is best, and says by how much: what counts near edges in
        training is not what counts in the end."""
        with torch.no_grad():
            seen = self.seen(network)
            shift = max(SHIFTS, key=lambda shift: overlap(seen, shift))
            network.heads["segments"].bias += shift
        return shift

    def seen(self, network: Network) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Logits of each picture that is checked with, and who is there."""
        found = []
        for picture, mask in self.validation:
            logits = network.masks(picture.to(device(network)))["segments"]
            logits = functional.interpolate(logits.float(), scale_factor=4, mode="bilinear")[0, 0].cpu()
            found.append((logits, mask > 127))
        return found


def overlap(seen: list[tuple[torch.Tensor, torch.Tensor]], shift: float) -> float:
    """Mean IoU of masks whose logits are moved."""
    scores = []
    for logits, truth in seen:
        kept = logits + shift > 0
        scores.append(((kept & truth).sum() / (kept | truth).sum().clamp(min=1)).item())
    return float(np.mean(scores))


class Keypoints:
    """Keypoints alone, from frames at each of which BodyPix has looked."""

    name = "keypoints"

    def __init__(self, frames: Frames, validation: list[samples.Labelled], bodypix: BodyPix, count: int):
        self.frames, self.count, self.facts = frames, count, {"frames": len(frames), "samples_with_a_hand": HANDS}
        self.validation = []
        for one in validation:
            picture, mask = upper(one.picture, CHECKED), upper(one.mask, CHECKED)
            size, heads = bodypix.heads(picture)
            people = cv2.boundingRect((mask > 128).astype(np.uint8))
            found = poses.decode(heads, size, picture.shape[:2])
            self.validation.append((tensor(cv2.resize(picture, INPUT, interpolation=cv2.INTER_AREA)), found, people[3]))

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        return self.frames.batch(number, self.count, SEED)

    def layers(self, network: Network) -> list[torch.nn.Module]:
        return network.pose_layers()

    def careful(self, network: Network) -> list[torch.nn.Module]:
        return []

    def losses(self, network: Network, picture: torch.Tensor, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return pose_losses(said(network.poses, picture), batch)

    def check(self, network: Network) -> dict[str, float]:
        """Shares of keypoints that are where BodyPix sees them, and of pictures in which all are."""
        compared, right, whole = 0, 0, []
        for picture, reference, height in self.validation:
            heads = network.in_pixels(network.poses(picture.to(device(network))))
            heads = {name: value[0].permute(1, 2, 0).float().cpu().numpy() for name, value in heads.items()}
            found = poses.decode(heads, INPUT, CHECKED[::-1], cells=True)
            sure, near = poses.compare(reference, found, height)
            compared, right = compared + sure, right + near
            whole += [sure == near] if sure else []
        return {"keypoints": right / max(compared, 1), "pictures": float(np.mean(whole))}


def mask_losses(heads: dict[str, torch.Tensor], batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of masks and body parts."""
    target = batch["mask"].float() / 255
    logits = functional.interpolate(heads["segments"], scale_factor=4, mode="bilinear")[:, 0]
    # Near edges, five times as much.
    around = functional.avg_pool2d(target[:, None], 9, 1, 4, count_include_pad=False)[:, 0]
    weight = 1 + 4 * (4 * around * (1 - around)).clamp(0, 1).sqrt()
    # A value for each 4x4 pixels.
    known = functional.interpolate(batch["known"][:, None].float(), scale_factor=4, mode="nearest")[:, 0]
    weight = weight * known
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    mask = (entropy * weight).sum() / weight.sum()
    kept, target = torch.sigmoid(logits) * known, target * known
    both = (kept * target).sum(dim=(1, 2))
    dice = (1 - (2 * both + 50) / (kept.sum(dim=(1, 2)) + target.sum(dim=(1, 2)) + 50)).mean()
    parts = functional.cross_entropy(heads["part_heatmaps"], batch["parts"].long(), ignore_index=label.NO_PART)
    return {"mask": mask, "dice": 0.75 * dice, "parts": 0.03 * parts}


def pose_losses(heads: dict[str, torch.Tensor], batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of heatmaps, of short offsets and of displacements; these two in units of their heads, like an absolute difference
    from a tenth on."""
    heat = batch["heat"].float()
    labelled = heat < 1.5
    heatmaps = functional.binary_cross_entropy_with_logits(heads["heatmaps"], heat.clamp(max=1), reduction="none")
    # There are few points near keypoints, and far more elsewhere.
    heatmaps = (heatmaps * labelled * (1 + 9 * (heat == 1))).sum() / labelled.sum()
    wanted = batch["vectors"].float()

    def off(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        known = ~wanted.isnan()
        loss = functional.smooth_l1_loss(found, wanted.nan_to_num(0.0), beta=0.1, reduction="none") * known
        return loss.sum() / known.sum().clamp(min=1)

    displacements = torch.cat([heads["displacement_fwd"], heads["displacement_bwd"]], dim=1)
    return {
        "heat": heatmaps,
        "offsets": off(heads["short_offsets"], wanted[:, :34]),
        "displacements": 0.5 * off(displacements, wanted[:, 34:]),
    }
