"""From the data folder to the ONNX file: labels, training, export. Goes on where it was ended.

    python train.py --data DIR --work DIR --output FILE.onnx
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import torch

import export
import frames
import label
import prepared
import samples
import sources
from network import HEADS, Network
from stages import SEED, Keypoints, Masks
from teachers import BODYPIX, ENCODER, BodyPix
from trainer import Trainer, read

RATE = 3e-3
POSE_RATE = 4e-3


def main() -> None:
    options = arguments()
    # Before the first picture: OpenCV's threads do not survive in the processes that make samples, and there is one of
    # those for each core.
    cv2.setNumThreads(0)
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    network = Network()
    # Before hours of work: whether what is there can be gone on with.
    masks_so_far, _ = (read(options.work / f"{stage.name}.pt", network) for stage in (Masks, Keypoints))
    begin(network, options, masks_so_far is not None)
    tasks = label.label_all(options.data, options.work)
    kinds, validation = samples.load(tasks)
    print({kind: len(pictures) for kind, pictures in kinds.items()}, f"and {len(validation)} to check with", flush=True)
    maker = samples.Maker(kinds, sources.backgrounds(options.data), sources.negatives(options.data))
    batches = prepared.make_all(maker, options.work, options.batches, SEED)
    paths = frames.make_all(maker, options.data, options.work, options.frames, SEED)
    stage = Masks(batches, validation)
    masks = Trainer(stage, network, options, options.rate, options.steps, options.minutes)
    masks.run()
    # Those of --start are where they belong.
    shift = stage.calibrate(masks.average) if masks.step else 0.0
    print(f"logits of masks are moved by {shift}", flush=True)
    network.load_state_dict(masks.average.state_dict())
    bodypix = BodyPix(options.data / "models" / BODYPIX)
    stage = Keypoints(frames.Frames(paths, maker), validation, bodypix, options.batch)
    poses = Trainer(stage, network, options, options.pose_rate, options.pose_steps, options.pose_minutes)
    poses.run()
    export.export(poses.average, options.output)
    words = facts(options, masks, shift, poses, kinds, maker)
    card = export.card(options.output, words)
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB; {card}", flush=True)


def begin(network: Network, options: argparse.Namespace, trained: bool) -> None:
    """Begins with the weights of --start, and with BodyPix's in the encoder where that has none."""
    if options.start and trained:
        raise SystemExit(f"--start: there are masks in {options.work} to go on with; name another --work")
    missing = export.load(network, options.start) if options.start else [name for name, _ in network.named_modules()]
    learned_later = ("pose.", *(f"{name}.head" for name, (_, map, _) in HEADS.items() if map == "pose"))
    masks = [name for name in missing if not name.startswith(learned_later)]
    if options.start and masks and not options.steps:
        raise SystemExit(f"--start: {options.start} has no {masks[0]} of this size, and --steps 0 trains none")
    if "stem" in missing:
        export.load_encoder(network, options.data / "models" / ENCODER)
    if options.start and missing:
        print(f"begins again: {', '.join(missing)}", flush=True)


def facts(
    options: argparse.Namespace, masks: Trainer, shift: float, poses: Trainer, kinds: dict, maker: samples.Maker
) -> dict:
    """Returns what the card says of the training."""
    return {
        "seed": SEED,
        "begun_with": export.told(options.start) if options.start else None,
        "encoder_begun_with": ENCODER,
        "masks": masks.runs,
        "mask_logits_moved_by": shift,
        "keypoints": poses.runs,
        "pictures": {kind: len(pictures) for kind, pictures in kinds.items()},
        "rooms": {"indoor": len(maker.rooms[0]), "other": len(maker.rooms[1]), "negatives": len(maker.negatives)},
        "samples": dict(samples.SHARES),
        "samples_of_keypoints": dict(samples.POSE_SHARES) | {"besides_nobody": frames.NOBODY},
        "validation": {name: round(value, 4) for name, value in (masks.check() | poses.check()).items()},
        "held_out": {
            "speakers": sources.HELD_OUT_SPEAKERS,
            "portraits": sources.HELD_OUT_PORTRAITS,
            "panoramas": sources.HELD_OUT_PANORAMAS,
            "street": "those of ccp/upper_images",
            "general": "those of general/held_out.txt",
            "folders": ["webcam/real_gt", "webcam/easyportrait_tiles", "webcam/hagrid_tiles", "coco_person_cc"],
        },
        "torch": torch.__version__,
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--work", type=Path, required=True, help="where labels, frames and checkpoints are kept")
    parser.add_argument("--output", type=Path, required=True, help="the ONNX file")
    parser.add_argument("--steps", type=int, default=20000, help="batches that masks are learned by [%(default)s]")
    parser.add_argument("--minutes", type=float, help="end that schedule by then, whatever step that is")
    parser.add_argument("--rate", type=float, default=RATE, help="its highest learning rate [%(default)s]")
    parser.add_argument("--batches", type=int, default=3000, help="batches of masks to make [%(default)s]")
    parser.add_argument("--batch", type=int, default=32, help="pictures of 256x144 in a batch of keypoints [%(default)s]")
    parser.add_argument("--frames", type=int, default=60, help=f"files of {frames.EACH} frames for keypoints [%(default)s]")
    parser.add_argument("--pose-steps", type=int, default=12000, help="batches of keypoints alone [%(default)s]")
    parser.add_argument("--pose-minutes", type=float, help="end that schedule by then, whatever step that is")
    parser.add_argument("--pose-rate", type=float, default=POSE_RATE, help="its highest learning rate [%(default)s]")
    parser.add_argument("--start", type=Path, help="begin with the weights of this ONNX file; --steps 0 leaves them so")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that make samples [%(default)s]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
