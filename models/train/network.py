"""The network: depthwise and pointwise convolutions down to a sixteenth of the input and up again to a quarter.

```text
 256x144x3 ─ 3x3 ─ 128x72x16 ─ ↓ ─ 64x36x32 ─ ↓ ─ 32x18x64 (4 blocks) ─ ↓ ─ 16x9x128 (7 blocks, dilated)
                                      │               │                        │
                                      │               + ◄──────── x2 ──────────┤
                                      + ◄──── x2 ── 2 blocks ──┐            4 blocks
                                   2 blocks                    + ◄──── x2 ─────┘
                                      ▼                     4 blocks
                              person, body parts               ▼
                                                           keypoints
```
A block is a depthwise and a pointwise convolution, each with batch normalisation (folded away in the end) and a ReLU.
Where a block keeps its width it begins as the identity; residual connections are not needed then, and the program can run
it in one pass over memory.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

# Keypoints: radius in which a heatmap says yes and a short offset points home, and the unit of the displacements, in
# pixels of the input.
RADIUS = 12.0
REACH = 32.0

# Sides of the input are multiples of this.
STEP = 16


class Pointwise(nn.Module):
    """1x1 convolution, batch normalisation, ReLU if `active`."""

    def __init__(self, inputs: int, outputs: int, active: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.active = active
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        if inputs == outputs:
            with torch.no_grad():
                self.conv.weight.mul_(0.5).add_(torch.eye(outputs)[:, :, None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x))
        return functional.relu(x, inplace=True) if self.active else x


class Depthwise(nn.Module):
    """3x3 convolution of each channel, batch normalisation, ReLU."""

    def __init__(self, channels: int, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride, dilation, dilation, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        with torch.no_grad():
            nn.init.normal_(self.conv.weight, std=0.15)
            self.conv.weight[:, :, 1, 1] += 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.conv(x)), inplace=True)


class Stem(nn.Module):
    """3x3 convolution of the picture with stride 2, batch normalisation, ReLU."""

    def __init__(self, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(3, outputs, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.conv(x)), inplace=True)


def block(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(Depthwise(inputs, stride, dilation), Pointwise(inputs, outputs))


class Merge(nn.Module):
    """A coarse map, twice as large, plus a fine one of the encoder; ReLU."""

    def __init__(self, coarse: int, fine: int, outputs: int):
        super().__init__()
        self.coarse = Pointwise(coarse, outputs, active=False)
        self.fine = Pointwise(fine, outputs, active=False)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        larger = functional.interpolate(self.coarse(coarse), scale_factor=2, mode="nearest")
        return functional.relu(larger + self.fine(fine), inplace=True)


class Pose(nn.Module):
    """What keypoints are read from: a coarse map that looks far around, on a finer one. Trained once more when the rest
    is done, with the rest as it is, and computed only where somebody asks for keypoints: it may cost something."""

    def __init__(self, eighth: int, sixteenth: int, dilations=(1, 2, 1, 2), blocks: int = 4):
        super().__init__()
        self.coarse = nn.Sequential(*(block(sixteenth, sixteenth, 1, dilation) for dilation in dilations))
        self.merge = Merge(sixteenth, eighth, sixteenth)
        self.fine = nn.Sequential(*(block(sixteenth, sixteenth) for _ in range(blocks)))

    def forward(self, eighth: torch.Tensor, sixteenth: torch.Tensor) -> torch.Tensor:
        return self.fine(self.merge(self.coarse(sixteenth), eighth))


# Output, its values, from which map, and the unit that the network's values are multiplied by.
HEADS = {
    "segments": (1, "quarter", 1.0),
    "part_heatmaps": (24, "quarter", 1.0),
    "heatmaps": (17, "pose", 1.0),
    "short_offsets": (34, "pose", RADIUS),
    "displacement_fwd": (32, "pose", REACH),
    "displacement_bwd": (32, "pose", REACH),
}


class Network(nn.Module):
    """Input: count x 3 x rows x columns, RGB -1..1, sides multiples of 16. Outputs: by name, count x values x a quarter of
    the rows and columns, for keypoints an eighth. A value belongs to the middle of its 4x4 (8x8) pixels."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 128), dilations=(1, 2, 1, 4, 1, 2, 1)):
        super().__init__()
        half, quarter, eighth, sixteenth = widths
        self.stem = Stem(half)
        self.quarter = nn.Sequential(block(half, quarter, 2), block(quarter, quarter))
        self.eighth = nn.Sequential(block(quarter, eighth, 2), *(block(eighth, eighth) for _ in range(3)))
        self.sixteenth = nn.Sequential(
            block(eighth, sixteenth, 2), *(block(sixteenth, sixteenth, 1, dilation) for dilation in dilations)
        )
        self.merge_eighth = Merge(sixteenth, eighth, eighth)
        self.up_eighth = nn.Sequential(block(eighth, eighth), block(eighth, eighth))
        self.merge_quarter = Merge(eighth, quarter, quarter)
        self.up_quarter = nn.Sequential(block(quarter, quarter), block(quarter, quarter))
        self.pose = Pose(eighth, sixteenth)
        inputs = {"quarter": quarter, "pose": sixteenth}
        self.heads = nn.ModuleDict({name: nn.Conv2d(inputs[map], count, 1) for name, (count, map, _) in HEADS.items()})
        with torch.no_grad():
            self.heads["heatmaps"].bias.fill_(-4)

    def pose_layers(self) -> list[nn.Module]:
        """What only keypoints are made with."""
        return [self.pose, *(self.heads[name] for name, (_, map, _) in HEADS.items() if map == "pose")]

    def shared(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Maps at a quarter (of the encoder), at an eighth (of the decoder) and at a sixteenth of the input."""
        quarter = self.quarter(self.stem(picture))
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        return quarter, self.up_eighth(self.merge_eighth(sixteenth, eighth)), sixteenth

    def poses(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """The keypoint heads alone, with what they share with the others as it is: no gradients there."""
        with torch.no_grad():
            _, eighth, sixteenth = self.shared(picture)
        found = self.pose(eighth, sixteenth)
        return {name: self.heads[name](found) for name, (_, map, _) in HEADS.items() if map == "pose"}

    @staticmethod
    def in_pixels(heads: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Vectors in pixels of the input, as the file has them, instead of in units of the heads."""
        return {name: value * HEADS[name][2] for name, value in heads.items()}

    def forward(self, picture: torch.Tensor, poses: bool = True, parts: bool = True) -> dict[str, torch.Tensor]:
        quarter, eighth, sixteenth = self.shared(picture)
        maps = {"quarter": self.up_quarter(self.merge_quarter(eighth, quarter))}
        if poses:
            maps["pose"] = self.pose(eighth, sixteenth)
        names = [name for name, (_, map, _) in HEADS.items() if map in maps and (parts or name != "part_heatmaps")]
        return {name: self.heads[name](maps[HEADS[name][1]]) for name in names}
