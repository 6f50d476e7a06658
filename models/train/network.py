"""The network: depthwise and pointwise convolutions down to a sixteenth of the input and up again to a quarter.

```text
 256x144x3 ─ 2x2 ─ 128x72x16 ─ ↓ ─ 64x36x24 ─ ↓ ─ 32x18x64 (3 blocks) ─ ↓ ─ 16x9x128 (6 blocks, dilated)
                       │              │               │                        │
                       │              │               + ◄──────── x2 ──────────┘
                       │              + ◄──── x2 ── 1 block ──┐
                       │           2 blocks                   │
                       │              ▼                       │
                       │      person, body parts              │
                       │                                      │
                       └ ↓ ─ 64x36x32 ──────── + ◄─── x2 ─────┘
                                               └ ↓ ─ 32x18x64 (3 blocks) ─ ↓ ─ 16x9x128 (9 blocks, dilated)
                                                        + ◄──────── x2 ────────┘
                                                     4 blocks
                                                        ▼
                                                    keypoints
```
A block is a depthwise and a pointwise convolution, each with batch normalisation (folded away in the end), and one ReLU
after both (Chollet, "Xception", 2017, finds none between them better). Where a block keeps its width it begins as the
identity; residual connections are not needed then, and the program can run it in one pass over memory.
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
    """3x3 convolution of each channel, batch normalisation."""

    active = False

    def __init__(self, channels: int, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride, dilation, dilation, groups=channels, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        with torch.no_grad():
            nn.init.normal_(self.conv.weight, std=0.15)
            self.conv.weight[:, :, 1, 1] += 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(x))


class Stem(nn.Module):
    """The 2x2 pixels of a point in other words, normalised: nothing is lost, and by tract's operators it takes half the time
    of a 3x3 convolution, as nothing is padded."""

    active = False

    def __init__(self, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(3, outputs, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        nn.init.orthogonal_(self.conv.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(x))


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


def blocks(inputs: int, outputs: int, dilations: tuple[int, ...]) -> nn.Sequential:
    """A block that halves the map, and one for each of `dilations`."""
    return nn.Sequential(block(inputs, outputs, 2), *(block(outputs, outputs, 1, dilation) for dilation in dilations))


class Pose(nn.Module):
    """What keypoints are read from: a network of its own that is told where people are. It is trained when the rest is
    done, with the rest as it is, and computed only where somebody asks for keypoints: it may cost something. (What masks are
    made from knows nothing of hands before a chest.)"""

    def __init__(self, half: int, told: int, widths: tuple[int, int, int] = (32, 64, 128), dilations=(1, 2, 1, 4, 1, 2, 1, 2)):
        super().__init__()
        quarter, eighth, sixteenth = widths
        # Of the map that it gives.
        self.width = sixteenth
        self.quarter = blocks(half, quarter, (1,))
        self.merge_quarter = Merge(told, quarter, quarter)
        self.eighth = blocks(quarter, eighth, (1, 1))
        self.sixteenth = blocks(eighth, sixteenth, dilations)
        self.merge_eighth = Merge(sixteenth, eighth, sixteenth)
        self.fine = nn.Sequential(*(block(sixteenth, sixteenth) for _ in range(4)))

    def forward(self, half: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        eighth = self.eighth(self.merge_quarter(told, self.quarter(half)))
        return self.fine(self.merge_eighth(self.sixteenth(eighth), eighth))


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
    """Input: count x 3 x rows x columns, RGB -1..1, sides multiples of 16. Heads: by name, count x values x a quarter of
    the rows and columns, for keypoints an eighth. A value belongs to the middle of its 4x4 (8x8) pixels."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 24, 64, 128), dilations=(1, 2, 1, 4, 1)):
        super().__init__()
        half, quarter, eighth, sixteenth = widths
        self.stem = Stem(half)
        self.quarter = blocks(half, quarter, (1,))
        self.eighth = blocks(quarter, eighth, (1, 1))
        self.sixteenth = blocks(eighth, sixteenth, dilations)
        self.merge_eighth = Merge(sixteenth, eighth, eighth)
        self.up_eighth = block(eighth, eighth)
        self.merge_quarter = Merge(eighth, quarter, quarter)
        self.up_quarter = nn.Sequential(block(quarter, quarter), block(quarter, quarter))
        self.pose = Pose(half, eighth)
        inputs = {"quarter": quarter, "pose": self.pose.width}
        self.heads = nn.ModuleDict({name: nn.Conv2d(inputs[map], count, 1) for name, (count, map, _) in HEADS.items()})
        with torch.no_grad():
            self.heads["heatmaps"].bias.fill_(-4)

    def mask_layers(self) -> list[nn.Module]:
        """What masks and body parts are made with."""
        layers = [layer for name, layer in self.named_children() if name not in ("pose", "heads")]
        return layers + self.heads_on("quarter")

    def pose_layers(self) -> list[nn.Module]:
        """What only keypoints are made with."""
        return [self.pose, *self.heads_on("pose")]

    def heads_on(self, map: str) -> list[nn.Module]:
        return [self.heads[name] for name, (_, of, _) in HEADS.items() if of == map]

    def shared(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Maps at half, at a quarter (of the encoder) and at an eighth (of the decoder) of the input."""
        half = self.stem(picture)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        return half, quarter, self.up_eighth(self.merge_eighth(self.sixteenth(eighth), eighth))

    def masks(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """The heads of person and body parts."""
        _, quarter, eighth = self.shared(picture)
        return self.read("quarter", self.up_quarter(self.merge_quarter(eighth, quarter)))

    def poses(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """The keypoint heads, with what they share with the others as it is: no gradients there."""
        with torch.no_grad():
            half, _, eighth = self.shared(picture)
        return self.read("pose", self.pose(half, eighth))

    def read(self, map: str, values: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: self.heads[name](values) for name, (_, of, _) in HEADS.items() if of == map}

    @staticmethod
    def in_pixels(heads: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Vectors in pixels of the input, as the file has them, instead of in units of the heads."""
        return {name: value * HEADS[name][2] for name, value in heads.items()}
