"""From the data folder to the ONNX file: labels, training, export. Goes on where it was ended.

    python train.py --data DIR --work DIR --output FILE.onnx
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

import export
import label
import samples
import sources
from network import Network

SEED = 20261125
# Pictures of 256x144 in a batch.
BATCH = 32
RATE = 6e-3
WEIGHT_DECAY = 0.02
WARM_UP = 300
# Of the average of weights that is shipped.
AVERAGING = 0.998
SAVE_EVERY = 250
CHECK_EVERY = 1000


def main() -> None:
    options = arguments()
    # Before the first picture: OpenCV's threads do not survive in the processes that make samples, and there is one of
    # those for each core.
    cv2.setNumThreads(0)
    options.work.mkdir(parents=True, exist_ok=True)
    tasks = label.label_all(options.data, options.work)
    kinds, validation = samples.load(tasks)
    print({kind: len(pictures) for kind, pictures in kinds.items()}, f"and {len(validation)} to check with", flush=True)
    maker = samples.Maker(kinds, sources.backgrounds(options.data))
    trainer = Trainer(options, maker, validation)
    trainer.run()
    export.export(trainer.average, options.output)
    card = export.card(options.output, trainer.network, facts(options, trainer, kinds, maker))
    print(f"{options.output}: {options.output.stat().st_size / 1000:.0f} kB; {card}", flush=True)


def facts(options: argparse.Namespace, trainer: Trainer, kinds: dict, maker: samples.Maker) -> dict:
    """What the card tells of the training."""
    return {
        "seed": SEED,
        "batches": trainer.step,
        "pictures_in_a_batch_of_256x144": BATCH,
        "minutes": round(trainer.spent / 60),
        "learning_rate": options.rate,
        "pictures": {kind: len(pictures) for kind, pictures in kinds.items()},
        "rooms": {"indoor": len(maker.rooms[0]), "other": len(maker.rooms[1])},
        "samples": dict(samples.SHARES),
        "validation_iou": round(trainer.check(), 4),
        "held_out": {
            "speakers": sources.HELD_OUT_SPEAKERS,
            "portraits": sources.HELD_OUT_PORTRAITS,
            "panoramas": sources.HELD_OUT_PANORAMAS,
            "street": "those of ccp/upper_images",
            "folders": ["webcam/real_gt", "webcam/easyportrait_tiles", "webcam/hagrid_tiles", "coco_person_cc"],
        },
        "torch": torch.__version__,
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--work", type=Path, required=True, help="where labels and checkpoints are kept")
    parser.add_argument("--output", type=Path, required=True, help="the ONNX file")
    parser.add_argument("--steps", type=int, default=9000, help="batches [%(default)s]")
    parser.add_argument("--minutes", type=float, help="end the schedule by then, whatever step that is")
    parser.add_argument("--start", type=Path, help="begin with the weights of this checkpoint")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate [%(default)s]")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that make samples [%(default)s]")
    return parser.parse_args()


class Batches(torch.utils.data.Dataset):
    """Batch after batch, by number."""

    def __init__(self, maker: samples.Maker, first: int, count: int):
        self.maker, self.first, self.count = maker, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.maker.batch(self.first + index, BATCH, SEED)


class Trainer:
    def __init__(self, options: argparse.Namespace, maker: samples.Maker, validation: list[samples.Labelled]):
        self.options = options
        self.maker = maker
        torch.manual_seed(SEED)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network = Network().to(self.device, memory_format=torch.channels_last)
        self.average = Network().to(self.device, memory_format=torch.channels_last).eval()
        if options.start:
            self.network.load_state_dict(torch.load(options.start, map_location=self.device)["average"])
        self.average.load_state_dict(self.network.state_dict())
        decayed = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate)
        self.step = 0
        self.spent = 0.0
        self.checkpoint = options.work / "checkpoint.pt"
        self.validation = checks(validation)
        if self.checkpoint.exists():
            self.resume()

    def resume(self) -> None:
        saved = torch.load(self.checkpoint, map_location=self.device)
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.spent = saved["step"], saved["spent"]
        print(f"goes on after step {self.step}", flush=True)

    def save(self) -> None:
        half = self.checkpoint.with_suffix(".half")
        state = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        torch.save(state | {"optimizer": self.optimizer.state_dict(), "step": self.step, "spent": self.spent}, half)
        half.rename(self.checkpoint)

    def progress(self) -> float:
        """Share of the schedule that is done, by steps or by time."""
        done = self.step / self.options.steps
        if self.options.minutes:
            done = max(done, self.spent / (self.options.minutes * 60))
        return min(done, 1.0)

    def rate(self) -> float:
        """Warm-up, then half a cosine down."""
        warm = min(1.0, (self.step + 1) / WARM_UP)
        return self.options.rate * warm * (0.5 + 0.5 * math.cos(math.pi * self.progress()))

    def run(self) -> None:
        if self.progress() >= 1:
            return
        batches = Batches(self.maker, self.step, self.options.steps - self.step)
        loader = torch.utils.data.DataLoader(
            batches, batch_size=None, num_workers=self.options.workers, prefetch_factor=4 if self.options.workers else None
        )
        bar = tqdm(total=self.options.steps, initial=self.step, desc="train", unit="batch", mininterval=5)
        means: dict[str, float] = {}
        last = time.monotonic()
        for batch in loader:
            for name, value in self.train(batch).items():
                means[name] = 0.98 * means.get(name, value) + 0.02 * value
            now = time.monotonic()
            self.spent, last = self.spent + now - last, now
            self.step += 1
            bar.update()
            bar.set_postfix({name: f"{value:.4f}" for name, value in means.items()}, refresh=False)
            if self.step % SAVE_EVERY == 0:
                self.save()
            if self.step % CHECK_EVERY == 0:
                bar.write(f"step {self.step}, {self.spent / 60:.1f} min: IoU {self.check():.4f}")
                last = time.monotonic()
            if self.progress() >= 1:
                break
        bar.close()
        self.save()
        print(f"step {self.step}, {self.spent / 60:.1f} min: IoU {self.check():.4f}", flush=True)

    def train(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.network.train()
        batch = {name: value.to(self.device) for name, value in batch.items()}
        picture = batch["picture"].float().contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16):
            heads = self.network(picture)
        losses = loss({name: value.float() for name, value in heads.items()}, batch)
        self.optimizer.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        # Early on the average must forget the beginning.
        keep = min(AVERAGING, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, own in zip(self.average.state_dict().values(), self.network.state_dict().values()):
                mean.lerp_(own, 1 - keep) if mean.is_floating_point() else mean.copy_(own)
        return {name: value.item() for name, value in losses.items()}

    def check(self) -> float:
        """Mean IoU of the average's masks on pictures that are not trained on (but are of the same kinds)."""
        scores = []
        with torch.no_grad():
            for picture, mask in self.validation:
                logits = self.average(picture.to(self.device), poses=False, parts=False)["segments"]
                logits = functional.interpolate(logits.float(), scale_factor=4, mode="bilinear")[0, 0].cpu()
                kept, truth = logits > 0, mask > 127
                scores.append(((kept & truth).sum() / (kept | truth).sum().clamp(min=1)).item())
        return float(np.mean(scores))


def checks(validation: list[samples.Labelled]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The upper 16:9 of each picture, 256x144."""
    out = []
    for one in validation:
        rows, columns = one.picture.shape[:2]
        high = min(rows, round(columns * 9 / 16))
        picture = cv2.resize(one.picture[:high], (256, 144), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(one.mask[:high], (256, 144), interpolation=cv2.INTER_AREA)
        values = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        out.append((values.contiguous(memory_format=torch.channels_last), torch.from_numpy(mask)))
    return out


def loss(heads: dict[str, torch.Tensor], batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What is minimised, by its parts."""
    target = batch["mask"].float() / 255
    logits = functional.interpolate(heads["segments"], scale_factor=4, mode="bilinear")[:, 0]
    # Near edges, five times as much.
    around = functional.avg_pool2d(target[:, None], 9, 1, 4, count_include_pad=False)[:, 0]
    weight = 1 + 4 * (4 * around * (1 - around)).clamp(0, 1).sqrt()
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    mask = (entropy * weight).sum() / weight.sum()
    kept = torch.sigmoid(logits)
    both = (kept * target).sum(dim=(1, 2))
    dice = (1 - (2 * both + 50) / (kept.sum(dim=(1, 2)) + target.sum(dim=(1, 2)) + 50)).mean()
    parts = functional.cross_entropy(heads["part_heatmaps"], batch["parts"].long(), ignore_index=label.NO_PART)
    heat = batch["heat"].float()
    said = heat < 1.5
    heatmaps = functional.binary_cross_entropy_with_logits(heads["heatmaps"], heat.clamp(max=1), reduction="none")
    # There are few points near keypoints, and far more elsewhere.
    heatmaps = (heatmaps * said * (1 + 9 * (heat == 1))).sum() / said.sum()
    vectors = torch.cat([heads[name] for name in ("short_offsets", "displacement_fwd", "displacement_bwd")], dim=1)
    wanted = batch["vectors"].float()
    known = ~wanted.isnan()
    off = functional.smooth_l1_loss(vectors, wanted.nan_to_num(0.0), beta=0.2, reduction="none") * known
    vectors = off.sum() / known.sum().clamp(min=1)
    return {"mask": mask, "dice": 0.5 * dice, "parts": 0.03 * parts, "heat": heatmaps, "vectors": 0.15 * vectors}


if __name__ == "__main__":
    main()
