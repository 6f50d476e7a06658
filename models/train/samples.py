"""Training samples: people framed in all ways, before their own or another room.

Webcams show head and shoulders; rooms also show dancers, speakers who stand, groups, people far off and from behind, and
such as the frame cuts off anywhere. So there are pictures as a camera took them (`frame`, `window`), and scenes that are
put together (`Maker.group`).

A batch is of one input size. Everything random comes from one generator, seeded by the batch's number: a run that goes on
where another was ended sees what that one would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

import poses
import sources
from label import NO_PART
from network import RADIUS, REACH

# Columns and rows of the input, and how often. 640x360, 640x480, closer and from afar, a phone held upright.
SIZES = [((256, 144), 0.64), ((224, 160), 0.12), ((320, 176), 0.12), ((192, 112), 0.06), ((144, 256), 0.06)]

# How often each kind of picture is taken.
SHARES = {
    "general": 0.29, "group": 0.10, "given": 0.10, "street": 0.03, "portrait": 0.11, "call": 0.13, "blurred": 0.01,
    "keyed": 0.06, "nobody": 0.17,
}  # fmt: skip
# Of these there are no pictures.
MADE = ("group", "nobody")
# Those with a place around the people; GRID's stand before a blue wall.
WITH_PLACES = ("general", "given", "portrait", "call")

# The same where only keypoints are learned.
POSE_SHARES = {"given": 0.22, "street": 0.1, "portrait": 0.28, "call": 0.32, "blurred": 0.02, "keyed": 0.04, "nobody": 0.02}

# How often somebody who may be anywhere in the frame is at its lower end.
LOW = 0.25

# Of pictures in which the teachers do not agree at all, nothing is learned.
LEAST_AGREEMENT = 0.6

# What a left part is in a mirror image.
MIRRORED_PARTS = np.arange(256, dtype=np.uint8)
for one, other in [(0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (10, 11), (14, 16), (15, 17), (18, 20), (19, 21), (22, 23)]:
    MIRRORED_PARTS[[one, other]] = other, one

# Keypoints that the teacher is sure of, and those of which nothing is said.
SURE, UNSURE = 0.4, 0.15


@dataclass
class Labelled:
    """A picture with its labels, in memory."""

    kind: str
    picture: np.ndarray
    mask: np.ndarray
    given: bool
    parts: np.ndarray
    poses: np.ndarray
    # Left, top, right, bottom of the people.
    box: tuple[int, int, int, int]
    # Where the mask says nothing, if anywhere.
    unknown: np.ndarray | None = None

    def hands_up(self) -> bool:
        """Whether somebody has a hand above the elbow."""
        return any(poses.hand_up(pose, SURE) for pose in self.poses)


def load(tasks: list[tuple[sources.Source, Path]]) -> tuple[dict[str, list[Labelled]], list[Labelled]]:
    """Pictures to train on, by kind, and those to choose checkpoints by."""
    kinds: dict[str, list[Labelled]] = {kind: [] for kind in SHARES if kind not in MADE}
    validation = []
    for source, path in tasks:
        with np.load(path) as words:
            given = bool(words["given"])
            if not given and float(words["agreement"]) < LEAST_AGREEMENT:
                continue
            mask = words["mask"]
            people = cv2.boundingRect((mask > 128).astype(np.uint8))
            if people[2] * people[3] < 200:
                continue
            box = (people[0], people[1], people[0] + people[2], people[1] + people[3])
            kind = "given" if given and source.kind == "street" else source.kind
            # Files of former times have no such plane.
            unknown = words["unknown"] if "unknown" in words and words["unknown"].any() else None
            one = Labelled(kind, words["picture"], mask, given, words["parts"], words["poses"], box, unknown)
        (validation if source.validation else kinds[kind]).append(one)
    return kinds, validation


# Heights of parts of a picture in which nobody is, as shares of the largest 16:9 part, and the least height in pixels.
EMPTY_PARTS, LEAST_EMPTY = (1.0, 0.85, 0.7, 0.6, 0.5, 0.42), 110


def empty_part(one: Labelled) -> np.ndarray | None:
    """A large 16:9 part of a picture in which nobody is and nothing is unknown, if there is one."""
    rows, columns = one.mask.shape
    people = one.mask > 16
    if one.unknown is not None:
        people |= one.unknown > 0
    sums = cv2.integral(people.astype(np.uint8))
    most = min(rows, columns * 9 / 16)
    for share in EMPTY_PARTS:
        high = int(most * share)
        wide = int(high * 16 / 9)
        if high < LEAST_EMPTY:
            break
        for top in np.linspace(0, rows - high, 6).astype(int):
            for left in np.linspace(0, columns - wide, 8).astype(int):
                bottom, right = top + high, left + wide
                if sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] == 0:
                    return one.picture[top:bottom, left:right].copy()
    return None


# Of somebody who is cut out by themselves: least share of a picture, and least height in pixels.
LEAST_CUT, LEAST_HIGH = 0.015, 70
AROUND = 4


def cut_outs(one: Labelled) -> list[Labelled]:
    """The people of a picture one by one, where each is whole: nobody else and no end of the picture touches them, except
    below."""
    rows, columns = one.mask.shape
    found = []
    _, names, stats, _ = cv2.connectedComponentsWithStats((one.mask > 64).astype(np.uint8))
    for name, (left, top, wide, high, area) in enumerate(stats):
        whole = left > 1 and top > 1 and left + wide < columns - 1
        if name == 0 or not whole or area < LEAST_CUT * rows * columns or high < LEAST_HIGH or wide > 1.5 * high:
            continue
        # Parts have a value for each 4x4 pixels.
        x0, y0 = max(left - AROUND, 0) // 4 * 4, max(top - AROUND, 0) // 4 * 4
        x1, y1 = min(left + wide + AROUND, columns) // 4 * 4, min(top + high + AROUND, rows)
        own = names[y0:y1, x0:x1] == name
        if one.unknown is not None and one.unknown[y0:y1, x0:x1][own].any():
            continue
        mask = np.where(cv2.dilate(own.astype(np.uint8), np.ones((3, 3))) > 0, one.mask[y0:y1, x0:x1], 0).astype(np.uint8)
        parts = one.parts[y0 // 4 : -(-y1 // 4), x0 // 4 : x1 // 4]
        if min(parts.shape) > 0:
            box = (left - x0, top - y0, min(left + wide, x1) - x0, top + high - y0)
            found.append(Labelled("cut", one.picture[y0:y1, x0:x1].copy(), mask, True, parts.copy(), one.poses[:0], box))
    return found


def any_size(rng: np.random.Generator) -> tuple[int, int]:
    sizes, shares = zip(*SIZES)
    return sizes[rng.choice(len(sizes), p=shares)]


def as_much(count: int, size: tuple[int, int]) -> int:
    """How many pictures of `size` are as much work as `count` of 256x144."""
    return max(4, round(count * 256 * 144 / (size[0] * size[1])))


def stacked(made: list[dict[str, np.ndarray]]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.stack([sample[name] for sample in made])) for name in made[0]}


class Maker:
    """Makes samples."""

    def __init__(
        self,
        kinds: dict[str, list[Labelled]],
        rooms: tuple[list[np.ndarray], list[np.ndarray]],
        negatives: list[np.ndarray] | None = None,
    ):
        self.kinds = kinds
        self.rooms = rooms
        # Pictures without people that one may take for people.
        self.negatives = negatives or rooms[1]
        self.cuts = [cut for one in kinds.get("general", []) for cut in cut_outs(one)]
        # What is beside people, as large as a room.
        beside = [empty_part(one) for kind in WITH_PLACES for one in kinds.get(kind, [])]
        self.beside = [part for part in beside if part is not None]
        raised = {kind: [one for one in pictures if one.hands_up()] for kind, pictures in kinds.items()}
        self.raised = {kind: pictures for kind, pictures in raised.items() if pictures}

    def batch(self, number: int, count: int, seed: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([seed, number])
        size = any_size(rng)
        return stacked([self.scene(rng, size, SHARES).finish() for _ in range(as_much(count, size))])

    def scene(
        self, rng: np.random.Generator, size: tuple[int, int], shares: dict[str, float], hands_up: bool = False
    ) -> Scene:
        """A scene; with `hands_up`, of somebody who has a hand above the elbow in the whole picture."""
        if hands_up and self.raised:
            kinds = [kind for kind in shares if kind in self.raised]
            weights = np.array([shares[kind] for kind in kinds])
            kind = rng.choice(kinds, p=weights / weights.sum())
        else:
            kind = rng.choice(list(shares), p=list(shares.values()))
        scene = Scene(rng, size)
        if kind == "group":
            self.group(rng, scene)
        elif kind == "nobody" or not self.kinds[kind]:
            self.empty(rng, scene)
        elif kind == "general":
            scene.person(one := self.pick(rng, kind), window(rng, one, scene.size), cut_out=False)
            if rng.random() < 0.1:
                self.guest(rng, scene)
            if rng.random() < 0.06:
                scene.thing(self.room(rng, 0.5), before=True)
        else:
            one = self.pick(rng, kind, hands_up)
            matrix, inside = frame(rng, one, scene.size)
            replaced = kind == "keyed" or rng.random() < {"given": 0.45, "portrait": 0.4}.get(kind, 0.12)
            if replaced or not inside:
                scene.room(self.room(rng, 0.75))
                if rng.random() < 0.12:
                    scene.thing(self.room(rng, 0.5))
                if rng.random() < 0.12:
                    self.guest(rng, scene)
                scene.person(one, matrix, cut_out=True)
                if rng.random() < 0.08:
                    self.guest(rng, scene)
            else:
                scene.person(one, matrix, cut_out=False)
                if rng.random() < 0.06:
                    self.guest(rng, scene)
        return scene

    def empty(self, rng: np.random.Generator, scene: Scene) -> None:
        """Nobody: a room, also with a thing in it that is round or stands up like somebody, or what is beside the people of
        a picture."""
        if rng.random() < 0.25:
            for _ in range(6):
                one = self.pick(rng, ["given", "street", "call", "portrait"][rng.integers(4)])
                if scene.beside(one):
                    return
        scene.room(self.negative(rng) if rng.random() < 0.5 else self.room(rng, 0.6))
        while rng.random() < 0.35:
            scene.thing(self.room(rng, 0.4) if rng.random() < 0.6 else self.negative(rng))

    def group(self, rng: np.random.Generator, scene: Scene) -> None:
        """One to five people of different sizes, the nearest in front, standing anywhere and cut by any end."""
        scene.room(self.negative(rng) if rng.random() < 0.3 else self.room(rng, 0.6))
        highs = np.exp(rng.uniform(np.log(0.15), np.log(1.3), 1 + rng.integers(5))) * scene.size[1]
        for high in np.sort(highs):
            kinds = ["given", "given", "cut", "cut", "portrait", "keyed"]
            kind = kinds[rng.integers(len(kinds))]
            one = self.cuts[rng.integers(len(self.cuts))] if kind == "cut" and self.cuts else self.pick(rng, "given")
            if kind in ("portrait", "keyed") and high > 0.3 * scene.size[1]:
                one = self.pick(rng, kind)
            scene.person(one, stand(rng, one, scene.size, high), cut_out=True)
        if rng.random() < 0.15:
            scene.thing(self.room(rng, 0.5), before=True)

    def negative(self, rng: np.random.Generator) -> np.ndarray:
        pictures = self.negatives if rng.random() < 0.6 or not self.beside else self.beside
        return pictures[rng.integers(len(pictures))]

    def pick(self, rng: np.random.Generator, kind: str, hands_up: bool = False) -> Labelled:
        pictures = self.raised.get(kind, self.kinds[kind]) if hands_up else self.kinds[kind]
        return pictures[rng.integers(len(pictures))]

    def room(self, rng: np.random.Generator, indoor: float) -> np.ndarray:
        rooms = self.rooms[0 if rng.random() < indoor else 1]
        return rooms[rng.integers(len(rooms))]

    def guest(self, rng: np.random.Generator, scene: Scene) -> None:
        """One more person, cut out, smaller or at the side."""
        one = self.pick(rng, ["given", "portrait", "keyed"][rng.integers(3)])
        matrix, _ = frame(rng, one, scene.size, guest=True)
        scene.person(one, matrix, cut_out=True)


def window(rng, one: Labelled, size: tuple[int, int]) -> np.ndarray:
    """A part of a picture in which people may be anywhere: much of it, or what is around somebody. 2x3, from the picture's
    pixels to those of the frame."""
    rows, columns = one.picture.shape[:2]
    aspect = size[0] / size[1]
    most = min(rows, columns / aspect)
    if rng.random() < 0.55:
        high = most * rng.uniform(0.6, 1.0)
        middle = np.array([rng.uniform(0, columns), rng.uniform(0, rows)])
        if rng.random() < 0.4:
            # As pictures are measured: the upper part.
            high, middle = most * rng.uniform(0.9, 1.0), np.array([columns / 2, 0.0])
    else:
        left, top, right, bottom = one.box
        if rng.random() < 0.7:
            _, _, stats, _ = cv2.connectedComponentsWithStats((one.mask > 128).astype(np.uint8))
            people = [box for box in stats[1:] if box[4] >= 0.003 * rows * columns]
            if people:
                left, top, wide, high, _ = people[rng.integers(len(people))]
                right, bottom = left + wide, top + high
        high = max(bottom - top, (right - left) / aspect) * np.exp(rng.uniform(np.log(0.5), np.log(4)))
        high = np.clip(high, 0.2 * most, most)
        middle = np.array([left + right, top + bottom]) / 2 + rng.normal(size=2) * 0.25 * high * np.array([aspect, 1])
    half = np.array([high * aspect, high]) / 2
    middle = np.clip(middle, half, np.maximum(np.array([columns, rows]) - half, half))
    mirror = -1 if rng.random() < 0.5 else 1
    angle = np.deg2rad(rng.normal() * 3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * np.exp(rng.normal() * 0.05), 1.0]) * (size[1] / high)
    return np.column_stack([linear, np.array(size) / 2 - linear @ middle])


def stand(rng, one: Labelled, size: tuple[int, int], high: float) -> np.ndarray:
    """Puts somebody, `high` pixels high, anywhere into a frame: 2x3, from the picture's pixels to the frame's."""
    left, top, right, bottom = one.box
    scale = high / max(bottom - top, 1)
    mirror = -1 if rng.random() < 0.5 else 1
    linear = np.diag([mirror * scale * np.exp(rng.normal() * 0.07), scale])
    feet = np.array([rng.uniform(-0.05, 1.05) * size[0], rng.uniform(0.5, 1.35) * size[1]])
    if bottom >= one.picture.shape[0] - 4:
        # Whom the picture cuts off below, the frame cuts off, too.
        feet[1] = max(feet[1], size[1] + 2 * scale)
    return np.column_stack([linear, feet - linear @ np.array([(left + right) / 2, bottom])])


def frame(rng, one: Labelled, size: tuple[int, int], guest: bool = False) -> tuple[np.ndarray, bool]:
    """From the picture's pixels to those of a frame of `size`: 2x3, and whether the picture fills the frame."""
    rows, columns = one.picture.shape[:2]
    left, top, right, bottom = one.box
    aspect = size[0] / size[1]
    if guest:
        # A fifth to four fifths of the frame's height for head and shoulders.
        high = min(bottom - top, (right - left) * 1.3) / rng.uniform(0.2, 0.85)
        centre = ((left + right) / 2 + rng.uniform(-0.5, 0.5) * high * aspect, top + high * rng.uniform(0.1, 0.5))
    elif one.kind in ("call", "blurred") and rng.random() < 0.85:
        # Calls are framed already: somewhat closer, not always in the middle.
        high = min(rows, columns / aspect) * rng.uniform(0.6, 1.0)
        centre = (
            rng.uniform(high * aspect / 2, columns - high * aspect / 2),
            rng.uniform(high / 2, rows - high / 2) if rng.random() < 0.5 else high / 2,
        )
    elif rng.random() < 0.5:
        # Within the picture, the head and what is below it.
        high = min(columns / aspect, rows) * rng.uniform(0.55, 1.0)
        middle = np.clip((left + right) / 2 + rng.normal() * 0.15 * high * aspect, high * aspect / 2, columns - high * aspect / 2)
        above = np.clip(top - rng.uniform(-0.08, 0.4) * high, 0, rows - high)
        centre = (middle, above + high / 2)
    else:
        # By the person: from a face that fills the frame to somebody far away, off the middle.
        width = right - left
        high = width / aspect * np.exp(rng.uniform(np.log(0.9), np.log(3.2)))
        if rng.random() < 0.3:
            # From legs that are cut off to a whole body.
            high = (bottom - top) * rng.uniform(0.5, 1.6)
        # Share of the frame above the head. Cameras of phones that lean against something show little but a forehead.
        above = rng.uniform(0.4, 0.85) if rng.random() < LOW else rng.uniform(-0.08, 0.45)
        centre = ((left + right) / 2 + rng.normal() * 0.18 * high * aspect, top + high / 2 - above * high)
    if bottom >= rows - 4 and (guest or centre[1] + high / 2 > rows):
        # Somebody whom the picture cuts off below is cut off by the frame, too.
        centre = (centre[0], rows - high * (0.5 + rng.uniform(0, 0.1)))
    scale = size[1] / high
    angle = np.deg2rad(rng.normal() * 4)
    stretch = np.exp(rng.normal() * 0.05)
    mirror = -1 if rng.random() < 0.5 else 1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([scale * stretch * mirror, scale])
    matrix = np.column_stack([linear, np.array(size) / 2 - linear @ np.array(centre)])
    ends = np.array([[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]], float)
    back = (np.linalg.inv(linear) @ (ends - matrix[:, 2]).T).T
    slack = 0.03 * max(rows, columns)
    inside = (back > -slack).all() and (back[:, 0] < columns + slack).all() and (back[:, 1] < rows + slack).all()
    return matrix, bool(inside)


class Scene:
    """A frame in the making, at twice the network's input."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]):
        self.rng = rng
        self.input = size
        self.size = (size[0] * 2, size[1] * 2)
        self.picture = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        self.mask = np.zeros(self.size[::-1], np.uint8)
        self.parts = np.full((size[1] // 4, size[0] // 4), NO_PART, np.uint8)
        self.known = np.ones_like(self.parts)

    def room(self, room: np.ndarray) -> None:
        rng = self.rng
        rows, columns = room.shape[:2]
        high = min(rows, columns * self.size[1] / self.size[0]) * rng.uniform(0.45, 1.0)
        wide = high * self.size[0] / self.size[1]
        left, top = rng.uniform(0, columns - wide), rng.uniform(0, rows - high)
        scale = self.size[1] / high
        mirror = rng.random() < 0.5
        across = [-scale, 0, (left + wide) * scale] if mirror else [scale, 0, -left * scale]
        matrix = np.array([across, [0, scale, -top * scale]])
        self.picture = cv2.warpAffine(room, matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        gain, offset = rng.uniform(0.5, 1.3), rng.uniform(-15, 25)
        self.picture = cv2.convertScaleAbs(self.picture, alpha=gain, beta=max(offset, 0))
        if rng.random() < 0.2:
            self.picture = cv2.GaussianBlur(self.picture, (0, 0), rng.uniform(1, 4))

    def thing(self, room: np.ndarray, before: bool = False) -> None:
        """A piece of another room, as high as a person may be, with a round or straight outline; `before` the people it is
        smaller and hides what is behind it."""
        rng = self.rng
        other = Scene(rng, self.input)
        other.room(room)
        columns, rows = self.size
        centre = (int(rng.uniform(0, columns)), int(rng.uniform(0.3, 1.1) * rows))
        most = 0.4 if before else 1.0
        half = (max(int(columns * rng.uniform(0.03, 0.28) * most), 2), max(int(rows * rng.uniform(0.1, 0.6) * most), 2))
        outline = np.zeros(self.size[::-1], np.uint8)
        if rng.random() < 0.6:
            cv2.ellipse(outline, centre, half, rng.uniform(-30, 30), 0, 360, 255, -1)
        else:
            corners = cv2.boxPoints((centre, (half[0] * 2.0, half[1] * 2.0), rng.uniform(-20, 20)))
            cv2.fillConvexPoly(outline, corners.astype(np.int32), 255)
        alpha = cv2.GaussianBlur(outline, (0, 0), 1).astype(np.float32) * np.float32(1 / 255)
        self.picture = cv2.blendLinear(other.picture, self.picture, alpha, 1 - alpha)
        if before:
            self.mask = np.round(self.mask * (1 - alpha)).astype(np.uint8)
            self.parts[cv2.resize(outline, self.input_quarter(), interpolation=cv2.INTER_AREA) > 128] = NO_PART

    def beside(self, one: Labelled) -> bool:
        """What a picture shows beside its people; whether there is room enough for that."""
        rng = self.rng
        rows, columns = one.picture.shape[:2]
        high = rng.uniform(0.2, 0.7) * rows
        wide = high * self.size[0] / self.size[1]
        if wide > columns:
            wide, high = columns * 0.9, columns * 0.9 * self.size[1] / self.size[0]
        left, top = rng.uniform(0, columns - wide), rng.uniform(0, rows - high)
        part = one.mask[int(top) : int(top + high) + 2, int(left) : int(left + wide) + 2]
        if part.size == 0 or part.max() > 40:
            return False
        scale = self.size[1] / high
        matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        self.picture = cv2.warpAffine(one.picture, matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return True

    def person(self, one: Labelled, matrix: np.ndarray, cut_out: bool) -> None:
        rng = self.rng
        border = cv2.BORDER_CONSTANT if cut_out else cv2.BORDER_REFLECT_101
        warp = lambda plane, flags=cv2.INTER_LINEAR: cv2.warpAffine(plane, matrix, self.size, flags=flags, borderMode=border)
        mask = warp(one.mask)
        picture = cv2.warpAffine(one.picture, matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        # 128 by hand is "nobody knows"; between soft edges it does not matter.
        if cut_out:
            picture = toned(rng, picture)
            # The rim has the old room's colours: keep a little less than the mask.
            level = np.clip((np.arange(256) - 70) * (255 / 150), 0, 255).astype(np.uint8)
            mask = cv2.LUT(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 1.5)), level)
            alpha = mask.astype(np.float32) * np.float32(1 / 255)
            self.picture = cv2.blendLinear(picture, self.picture, alpha, 1 - alpha)
            self.mask = np.maximum(self.mask, mask)
        else:
            self.picture, self.mask = picture, mask
        small = np.diag([1 / 8, 1 / 8]) @ matrix @ np.diag([4, 4, 1])
        parts = cv2.warpAffine(one.parts, small, self.input_quarter(), flags=cv2.INTER_NEAREST,
                               borderMode=cv2.BORDER_CONSTANT, borderValue=NO_PART)  # fmt: skip
        mirrored = np.linalg.det(matrix[:, :2]) < 0
        if mirrored:
            parts = MIRRORED_PARTS[parts]
        if cut_out:
            # Of somebody who is hidden now.
            hidden = cv2.resize(mask, self.input_quarter(), interpolation=cv2.INTER_AREA) > 128
            self.parts[hidden & (parts == NO_PART)] = NO_PART
        elif one.unknown is not None:
            unknown = cv2.resize(warp(one.unknown), self.input_quarter(), interpolation=cv2.INTER_AREA)
            self.known = (unknown < 128).astype(np.uint8)
        self.parts = np.where(parts != NO_PART, parts, self.parts)

    def input_quarter(self) -> tuple[int, int]:
        return (self.input[0] // 4, self.input[1] // 4)

    def finish(self) -> dict[str, np.ndarray]:
        """`picture`: as a camera shows it, rows x columns x 3, 0..255; `mask`: rows x columns, 0..255; `parts`, and
        whether the mask is `known`: a quarter of both."""
        mask = cv2.resize(self.mask, self.input, interpolation=cv2.INTER_AREA)
        return {"picture": self.shown(), "mask": mask, "parts": self.parts, "known": self.known}

    def seen(self) -> np.ndarray:
        """As a camera shows it: 3 x rows x columns, -1..1 as float16."""
        return planes(self.shown())

    def shown(self) -> np.ndarray:
        """The same, rows x columns x 3, 0..255."""
        return degraded(self.rng, cv2.resize(self.picture, self.input, interpolation=cv2.INTER_AREA))


def planes(picture: np.ndarray) -> np.ndarray:
    """3 x rows x columns, -1..1, of rows x columns x 3, 0..255."""
    values = (picture.astype(np.float32) / 127.5 - 1).astype(np.float16)
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def toned(rng, picture: np.ndarray) -> np.ndarray:
    """Another light on the person than on the room."""
    gain = np.exp(rng.normal() * 0.22) * np.exp(rng.normal(size=3) * 0.05)
    levels = np.arange(256)[:, None] * gain + rng.normal() * 8
    return cv2.LUT(picture, np.clip(levels, 0, 255).astype(np.uint8)[None])


def degraded(rng, picture: np.ndarray) -> np.ndarray:
    """What cameras and encoders do: exposure, colour, backlight, darkness, blur, noise, blocks."""
    x = picture.astype(np.float32)
    if rng.random() < 0.8:
        level = np.arange(256, dtype=np.float32) / 255
        curve = (level ** np.exp(rng.normal() * 0.3) - 0.5) * np.exp(rng.normal() * 0.2) + 0.5 + rng.normal() * 0.06
        x = cv2.LUT(picture, np.clip(curve * 255, 0, 255).astype(np.uint8)).astype(np.float32)
    if rng.random() < 0.5:
        x *= np.exp(rng.normal(size=3) * 0.09).astype(np.float32)
    if rng.random() < 0.3:
        grey = x.mean(axis=2, keepdims=True)
        x = grey + (x - grey) * np.float32(rng.uniform(0.0, 1.5))
    if rng.random() < 0.12:
        # Backlight or a lamp from one side.
        across = np.linspace(rng.uniform(0.4, 1.4), rng.uniform(0.4, 1.4), x.shape[1], dtype=np.float32)
        x *= across[None, :, None]
    if rng.random() < 0.1:
        x = x * np.float32(rng.uniform(0.2, 0.6)) + np.float32(rng.uniform(0, 12))
    x = np.clip(x, 0, 255)
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.1))
    if rng.random() < 0.3:
        x = x + rng.normal(size=x.shape[:2] + (1,)).astype(np.float32) * np.float32(rng.uniform(1, 9))
    x = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, code = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])
        x = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return x


def pose_targets(found: list[np.ndarray], size: tuple[int, int]) -> dict[str, np.ndarray]:
    """`heat`: 17 x rows x columns, 1 near a keypoint, 0 elsewhere, 2 where nothing is said; `vectors`: 98 x rows x columns,
    in the units of the heads, NaN where nothing is said. Cell (i, j) stands for the pixel (8 i + 3.5, 8 j + 3.5)."""
    columns, rows = size[0] // 8, size[1] // 8
    x = np.arange(columns, dtype=np.float32) * 8 + 3.5
    y = np.arange(rows, dtype=np.float32) * 8 + 3.5
    heat = np.zeros((17, rows, columns), np.uint8)
    vectors = np.full((98, rows, columns), np.nan, np.float32)
    nearest = np.full((17, rows, columns), np.inf, np.float32)
    for pose in found:
        dx = pose[:, 0, None, None] - x[None, None, :]
        dy = pose[:, 1, None, None] - y[None, :, None]
        distance = np.hypot(dx, dy)
        near = (distance <= RADIUS) & (distance < nearest)
        for k in range(17):
            if pose[k, 2] < UNSURE or not near[k].any():
                continue
            if pose[k, 2] < SURE:
                heat[k][near[k] & (heat[k] == 0)] = 2
                continue
            where = near[k]
            nearest[k][where] = distance[k][where]
            heat[k][where] = 1
            vectors[k][where] = (dy[k] + 0 * dx[k])[where] / RADIUS
            vectors[17 + k][where] = (dx[k] + 0 * dy[k])[where] / RADIUS
        for edge, (parent, child) in enumerate(poses.EDGES):
            if min(pose[parent, 2], pose[child, 2]) < SURE:
                continue
            for start, end, base in ((parent, child, 34), (child, parent, 66)):
                where = near[start] & (heat[start] == 1)
                vectors[base + edge][where] = (pose[end, 1] - y[:, None] + 0 * x)[where] / REACH
                vectors[base + 16 + edge][where] = (pose[end, 0] - x[None, :] + 0 * y[:, None])[where] / REACH
    return {"heat": heat, "vectors": vectors.astype(np.float16)}
