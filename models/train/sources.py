"""What is trained on: which files of the data folder, and which of them never.

A picture is RGB, uint8, rows x columns x 3, at most LONGEST pixels long; a mask beside it is uint8, 255 a person.
"""

from __future__ import annotations

import csv
import functools
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

# Pictures are kept in memory at this size: a crop of them is scaled down to the network's 256x144 once more.
LONGEST = 512

# Kept back for measuring (SOURCES.md of the data folder). A test of this list stands in `tests.py`.
HELD_OUT_SPEAKERS = ("bbaf2n", "lwbsza", "pwij3p", "swiz3n")
HELD_OUT_PORTRAITS = ("zoom_18f", "zoom_ols", "zoom_ropensci")
# Panoramas with tiny people in them: no empty rooms.
NOT_EMPTY = ("venice_sunset", "potsdamer_platz")
# Kept back by us, so that "an empty room gives an empty mask" is measured on rooms that were never seen, too: whole
# panoramas, because the views of one overlap, and every fifth photo.
HELD_OUT_PANORAMAS = ("studio_small_03", "kiara_1_dawn")
HELD_OUT_PHOTO = 5

# Clips that are watched at one frame in so many seconds.
CLIPS = {
    "asl_man_black_pattern.mp4": 0.5,
    "asl_man_grey_tshirt.mp4": 0.5,
    "asl_man_skull_hoodie.mp4": 0.5,
    "headpose_female.mp4": 1.5,
    "headpose_male.mp4": 1.5,
    "headpose_female-and-male.mp4": 1.5,
    "intel_one-by-one-person-detection.mp4": 1.5,
    "tfjs_pose_squats.mp4": 0.5,
}


# Folders of `general` without people.
NOBODY = ("coco_cc_noperson", "web_noperson")
# Of the pictures that were labelled by RVM, BodyPix and ISNet: from here on RVM and BodyPix agree well enough.
LEAST_AGREED = 0.6


@dataclass(frozen=True)
class Source:
    """A picture to train on."""

    name: str
    # How it is used: street, portrait, call, blurred, keyed, general.
    kind: str
    path: Path
    # The hand label, chroma key or label of better teachers, if there is one: 255 people, 128 unknown.
    mask: Path | None = None
    # Seconds into the clip.
    at: float | None = None
    # Kept from training, to choose between checkpoints.
    validation: bool = False

    def picture(self) -> np.ndarray:
        if self.at is None:
            picture = cv2.imread(str(self.path))
        else:
            clip = cv2.VideoCapture(str(self.path))
            clip.set(cv2.CAP_PROP_POS_MSEC, self.at * 1000)
            ok, picture = clip.read()
            picture = picture if ok else None
        if picture is None:
            raise ValueError(f"{self.path}: cannot be read")
        return np.ascontiguousarray(shrink(picture)[:, :, ::-1])

    def label(self, size: tuple[int, int]) -> np.ndarray | None:
        """The given mask at `size` (columns, rows), or None."""
        if self.mask is None:
            return None
        mask = cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise ValueError(f"{self.mask}: cannot be read")
        return cv2.resize(mask, size, interpolation=cv2.INTER_AREA)

    def unknown(self, size: tuple[int, int]) -> np.ndarray | None:
        """Where the given mask says nothing, at `size`: 255 there; None where it speaks of everything."""
        if self.kind != "general" or self.mask is None:
            return None
        mask = cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE)
        plane = ((mask > 64) & (mask < 192)).astype(np.uint8) * 255
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def shrink(picture: np.ndarray) -> np.ndarray:
    scale = LONGEST / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def sources(data: Path) -> list[Source]:
    """Everything to train on, in a fixed order."""
    found = [*general(data), *keyed(data), *clips(data), *street(data), *portraits(data)]
    for source in found:
        assert not held_out(source.path, data), f"{source.path} is held out"
    return found


def held_out(path: Path, data: Path) -> bool:
    """Whether a file must not be trained on."""
    parts = path.relative_to(data).parts
    if parts[:2] in {("webcam", "real_gt"), ("webcam", "easyportrait_tiles"), ("webcam", "hagrid_tiles")}:
        return True
    if parts[0] == "coco_person_cc" or parts[:2] in {("ccp", "upper_images"), ("ccp", "upper_masks")}:
        return True
    if parts[:2] == ("ccp", "images"):
        return path.stem in held_out_streets(data)
    if parts[0] == "general":
        return "/".join(parts[1:]) in held_out_general(data)
    if parts[0] == "portraits":
        return parts[1] in HELD_OUT_PORTRAITS
    return path.name.startswith(HELD_OUT_SPEAKERS)


def held_out_streets(data: Path) -> set[str]:
    """Numbers of the street photos whose upper halves are held out: by the table, and by the files themselves."""
    with open(data / "ccp/labelled.csv", newline="") as table:
        held = {row["id"] for row in csv.DictReader(table) if row["in_upper_eval"] == "1"}
    return held | {path.stem for path in (data / "ccp/upper_images").glob("*.jpg")}


@functools.cache
def held_out_general(data: Path) -> frozenset[str]:
    """Files of `general` that are held out, by the table."""
    return frozenset((data / "general/held_out.txt").read_text().split())


def general(data: Path) -> list[Source]:
    """People in any framing: masks by hand, and by teachers where these agree."""
    found = []
    for folder in sorted(path for path in (data / "general").iterdir() if path.is_dir()):
        masks = next((folder / name for name in ("masks", "labels") if (folder / name).is_dir()), None)
        if masks is None:
            continue
        agreed = None
        if masks.name == "labels":
            with open(masks / "agree.csv", newline="") as table:
                agreed = {row["name"] for row in csv.DictReader(table) if float(row["rvm_bp"]) >= LEAST_AGREED}
        for path in sorted((folder / "images").glob("*.jpg")):
            if not held_out(path, data) and (agreed is None or path.stem in agreed):
                validation = len(found) % 24 == 11
                found.append(Source(f"{folder.name}-{path.stem}", "general", path, masks / f"{path.stem}.png", None, validation))
    return found


def negatives(data: Path) -> list[np.ndarray]:
    """Pictures of `general` in which nobody is: rooms, statues, posters, pets."""
    paths = [path for name in NOBODY for path in sorted((data / "general" / name / "images").glob("*.jpg"))]
    return [np.ascontiguousarray(shrink(cv2.imread(str(path)))[:, :, ::-1]) for path in paths if not held_out(path, data)]


def street(data: Path) -> list[Source]:
    held = held_out_streets(data)
    found = []
    for index, path in enumerate(sorted((data / "ccp/images").glob("*.jpg"))):
        if path.stem not in held:
            mask = data / "ccp/masks" / f"{path.stem}.png"
            found.append(Source(f"street-{path.stem}", "street", path, mask, validation=index % 16 == 5))
    for path in sorted((data / "ccp/unlabelled").glob("*.jpg")):
        found.append(Source(f"street-u{path.stem}", "street", path))
    return found


def portraits(data: Path) -> list[Source]:
    found = []
    for folder in sorted(path for path in (data / "portraits").iterdir() if path.is_dir()):
        if folder.name in HELD_OUT_PORTRAITS or folder.name == "LICENCES":
            continue
        kind = "call" if folder.name.startswith(("zoom_", "webcam_")) else "portrait"
        if folder.name == "zoom_nmfs_openscapes":
            kind = "blurred"
        for index, path in enumerate(sorted(folder.glob("*.jpg"))):
            found.append(Source(f"{folder.name}-{path.stem}", kind, path, validation=index % 24 == 7))
    return found


def keyed(data: Path) -> list[Source]:
    found = []
    for path in sorted((data / "webcam/grid_keyed/frames").glob("*.jpg")):
        if not path.name.startswith(HELD_OUT_SPEAKERS):
            mask = data / "webcam/grid_keyed/masks" / f"{path.stem}.png"
            found.append(Source(f"grid-{path.stem}", "keyed", path, mask))
    return found


def clips(data: Path) -> list[Source]:
    found = []
    for name, step in CLIPS.items():
        path = data / "video" / name
        clip = cv2.VideoCapture(str(path))
        seconds = clip.get(cv2.CAP_PROP_FRAME_COUNT) / (clip.get(cv2.CAP_PROP_FPS) or 30)
        kind = "street" if name.startswith(("tfjs", "intel")) else "call"
        for index in range(int((seconds - 0.3) / step)):
            found.append(Source(f"{path.stem}-{index:03}", kind, path, at=index * step))
    return found


def backgrounds(data: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Rooms without people to train with: indoor ones and others."""
    with open(data / "backgrounds/indoor.json") as file:
        indoor = json.load(file)
    inside, outside = [], []
    left_out = NOT_EMPTY + HELD_OUT_PANORAMAS
    panoramas = [path for path in (data / "backgrounds/hdri_crops").glob("*.jpg") if not path.name.startswith(left_out)]
    photos = sorted((data / "backgrounds/coco_cc").glob("*.jpg"))
    photos = [path for index, path in enumerate(photos) if index % HELD_OUT_PHOTO != HELD_OUT_PHOTO - 1]
    for path in sorted(panoramas) + photos:
        picture = np.ascontiguousarray(shrink(cv2.imread(str(path)))[:, :, ::-1])
        (inside if indoor.get(path.name) else outside).append(picture)
    return inside, outside
