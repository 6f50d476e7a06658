"""The network: an encoder, BodyPix 0.50's (MobileNetV1, Howard et al. 2017) without its last two blocks, down to a
sixteenth of the input, and a narrow decoder up again to a quarter.

```text
 256x144x3 ─ 3x3 ─ 128x72x32 ─ ↓ ─ 64x36x64 ─ ↓ ─ 32x18x128 ─ ↓ ─ 16x9x256 (6 blocks)
                                     │                │               │
                                     │                + ◄──── x2 ─────┘
                                     │             32x18x32
                                     + ◄──── x2 ── 1 block ── x2 ────► + ◄ 64x36x64
                                  64x36x16                          64x36x32
                                  2 blocks                           1 block
                                     ▼                                  ▼
                                   person                           body parts
```
A block is a depthwise and a pointwise convolution. In the encoder both end in a ReLU that stops at 6, as in what it starts
from, and nothing is normalised: BodyPix's normalisation is folded into its weights. In the decoder each has a batch
normalisation (folded away in the end), and one ReLU stands after both (Chollet, "Xception", 2017, finds none between them
better). Where a block of the decoder keeps its width it begins as the identity; residual connections are not needed then,
and the program can run it in one pass over memory.

Keypoints have a network of their own (`Pose`), which is computed only where somebody asks for them.
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


class Coded(nn.Module):
    """A convolution of the encoder, with a ReLU that stops at 6."""

    # Of its outputs.
    most = 6.0

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.conv.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu6(self.conv(x), inplace=True)


def coded(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(Coded(inputs, inputs, 3, stride, inputs), Coded(inputs, outputs, 1))


# Channels that the blocks of the encoder make and how much smaller the map gets, by where its parts end: at half of the
# input, at a quarter, an eighth and a sixteenth.
STEM = 16
ENCODER = {
    "begin": [(32, 1)],
    "quarter": [(64, 2), (64, 1)],
    "eighth": [(128, 2), (128, 1)],
    "sixteenth": [(256, 2)] + 5 * [(256, 1)],
}


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
    """What keypoints are read from: a network of its own, computed only where somebody asks for keypoints, and so it may
    cost something. A first, narrow one finds people, a second one gets what that knows. (What masks are made from knows
    nothing of hands before a chest.)

    ```text
     256x144x3 ─ 2x2 ─ 128x72x16 ─ ↓ ─ 64x36x24 ─ ↓ ─ 32x18x64 (3 blocks) ─ ↓ ─ 16x9x128 (6 blocks, dilated)
                           │                              + ◄──────── x2 ────────────┘
                           │                              │ 1 block
                           └ ↓ ─ 64x36x32 ──────── + ◄─── x2
                                                   └ ↓ ─ 32x18x64 (3 blocks) ─ ↓ ─ 16x9x128 (9 blocks, dilated)
                                                            + ◄──────── x2 ────────┘
                                                         4 blocks
    ```
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 128), dilations=(1, 2, 1, 4, 1, 2, 1, 2)):
        super().__init__()
        half, quarter, eighth, sixteenth = widths
        # Of the map that it gives.
        self.width = sixteenth
        self.stem = Stem(half)
        self.people = People(widths)
        self.quarter = blocks(half, quarter, (1,))
        self.merge_quarter = Merge(eighth, quarter, quarter)
        self.eighth = blocks(quarter, eighth, (1, 1))
        self.sixteenth = blocks(eighth, sixteenth, dilations)
        self.merge_eighth = Merge(sixteenth, eighth, sixteenth)
        self.fine = nn.Sequential(*(block(sixteenth, sixteenth) for _ in range(4)))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        half = self.stem(picture)
        eighth = self.eighth(self.merge_quarter(self.people(half), self.quarter(half)))
        return self.fine(self.merge_eighth(self.sixteenth(eighth), eighth))


class People(nn.Module):
    """The first part of `Pose`: from half of the input's size to what is known of people at an eighth."""

    def __init__(self, widths: tuple[int, int, int, int], dilations=(1, 2, 1, 4, 1)):
        super().__init__()
        half, _, eighth, sixteenth = widths
        self.quarter = blocks(half, 24, (1,))
        self.eighth = blocks(24, eighth, (1, 1))
        self.sixteenth = blocks(eighth, sixteenth, dilations)
        self.merge_eighth = Merge(sixteenth, eighth, eighth)
        self.up_eighth = block(eighth, eighth)

    def forward(self, half: torch.Tensor) -> torch.Tensor:
        eighth = self.eighth(self.quarter(half))
        return self.up_eighth(self.merge_eighth(self.sixteenth(eighth), eighth))


# Output, its values, from which map, and the unit that the network's values are multiplied by.
HEADS = {
    "segments": (1, "quarter", 1.0),
    "part_heatmaps": (24, "parts", 1.0),
    "heatmaps": (17, "pose", 1.0),
    "short_offsets": (34, "pose", RADIUS),
    "displacement_fwd": (32, "pose", REACH),
    "displacement_bwd": (32, "pose", REACH),
}


class Network(nn.Module):
    """Input: count x 3 x rows x columns, RGB -1..1, sides multiples of 16. Heads: by name, count x values x a quarter of
    the rows and columns, for keypoints an eighth. A value belongs to the middle of its 4x4 (8x8) pixels."""

    def __init__(self, eighth: int = 32, quarter: int = 16, parts: int = 32):
        super().__init__()
        self.stem = Coded(3, STEM, 3, 2)
        width, ends = STEM, {}
        for part, made in ENCODER.items():
            layers = []
            for outputs, stride in made:
                layers.append(coded(width, outputs, stride))
                width = outputs
            setattr(self, part, nn.Sequential(*layers))
            ends[part] = width
        self.merge_eighth = Merge(ends["sixteenth"], ends["eighth"], eighth)
        self.up_eighth = block(eighth, eighth)
        self.merge_quarter = Merge(eighth, ends["quarter"], quarter)
        self.up_quarter = nn.Sequential(block(quarter, quarter), block(quarter, quarter))
        # Body parts are many and masks one: they have a map of their own, which is computed where somebody asks for it.
        self.merge_parts = Merge(eighth, ends["quarter"], parts)
        self.up_parts = block(parts, parts)
        self.pose = Pose()
        inputs = {"quarter": quarter, "parts": parts, "pose": self.pose.width}
        self.heads = nn.ModuleDict({name: nn.Conv2d(inputs[map], count, 1) for name, (count, map, _) in HEADS.items()})
        with torch.no_grad():
            self.heads["heatmaps"].bias.fill_(-4)

    def encoder(self) -> list[nn.Module]:
        """What knows people from elsewhere."""
        return [self.stem, *(getattr(self, part) for part in ENCODER)]

    def mask_layers(self) -> list[nn.Module]:
        """What masks and body parts are made with."""
        layers = [layer for name, layer in self.named_children() if name not in ("pose", "heads")]
        return layers + self.heads_on("quarter") + self.heads_on("parts")

    def pose_layers(self) -> list[nn.Module]:
        """What only keypoints are made with."""
        return [self.pose, *self.heads_on("pose")]

    def heads_on(self, map: str) -> list[nn.Module]:
        return [self.heads[name] for name, (_, of, _) in HEADS.items() if of == map]

    def masks(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """The heads of person and body parts."""
        quarter = self.quarter(self.begin(self.stem(picture)))
        eighth = self.eighth(quarter)
        up = self.up_eighth(self.merge_eighth(self.sixteenth(eighth), eighth))
        parts = self.up_parts(self.merge_parts(up, quarter))
        return self.read("quarter", self.up_quarter(self.merge_quarter(up, quarter))) | self.read("parts", parts)

    def poses(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """The keypoint heads."""
        return self.read("pose", self.pose(picture))

    def read(self, map: str, values: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: self.heads[name](values) for name, (_, of, _) in HEADS.items() if of == map}

    @staticmethod
    def in_pixels(heads: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Vectors in pixels of the input, as the file has them, instead of in units of the heads."""
        return {name: value * HEADS[name][2] for name, value in heads.items()}
