"""The loop: schedule, optimiser, average, checkpoints. What is learned is a stage's business."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Protocol

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from network import Network

WEIGHT_DECAY = 0.02
WARM_UP = 100
# Share of the learning rate at which layers learn that know something already.
CAREFUL = 0.1
# Of the average of weights that is shipped.
AVERAGING = 0.998
SAVE_EVERY = 100
CHECK_EVERY = 1000
# Losses are asked for so often: a GPU need not be waited for in between.
TOLD_EVERY = 25


class Stage(Protocol):
    """What is learned in a run of the loop."""

    # Of its checkpoint.
    name: str
    # Pictures of 256x144 in a batch, or what is as much work.
    count: int
    # What else the card is to say.
    facts: dict

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        """`picture` and what is wanted of it. The same number, the same batch."""

    def layers(self, network: Network) -> list[torch.nn.Module]:
        """What is trained; the rest stays as it is."""

    def careful(self, network: Network) -> list[torch.nn.Module]:
        """Those of them that know something already: they learn at a share of the rate, `CAREFUL`, and forget nothing."""

    def losses(self, network: Network, picture: torch.Tensor, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What is minimised, by its parts."""

    def check(self, network: Network) -> dict[str, float]:
        """How good it is on what is not trained on."""


def read(checkpoint: Path, network: Network) -> dict | None:
    """What was saved, if anything; ends the program if that is of another network."""
    if not checkpoint.exists():
        return None
    saved = torch.load(checkpoint, map_location="cpu")
    shapes = lambda state: {name: value.shape for name, value in state.items()}
    if "runs" not in saved or shapes(saved["network"]) != shapes(network.state_dict()):
        raise SystemExit(f"{checkpoint}: of another network; remove it to begin again")
    return saved


class Batches(torch.utils.data.Dataset):
    """Batch after batch, by number."""

    def __init__(self, stage: Stage, first: int, count: int):
        self.stage, self.first, self.count = stage, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.stage.batch(self.first + index)


class Trainer:
    """Trains a network by a stage, for `steps` batches or until `minutes` are over, and goes on where it was ended."""

    def __init__(
        self, stage: Stage, network: Network, options: argparse.Namespace, rate: float, steps: int, minutes: float | None
    ):
        self.stage, self.highest, self.steps, self.minutes, self.workers = stage, rate, steps, minutes, options.workers
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.on_gpu = self.device == "cuda"
        # Whichever is faster: 22 ms for a batch of 64 on an H100, the other way round 28.
        self.format = torch.contiguous_format if self.on_gpu else torch.channels_last
        self.network = network.to(self.device, memory_format=self.format)
        self.average = Network().to(self.device, memory_format=self.format).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.layers = stage.layers(self.network)
        self.trained = [parameter for layer in self.layers for parameter in layer.parameters()]
        known = {id(parameter) for layer in stage.careful(self.network) for parameter in layer.parameters()}
        decayed = [p for p in self.trained if p.dim() > 1 and id(p) not in known]
        others = [p for p in self.trained if p.dim() <= 1 and id(p) not in known]
        careful = [p for p in self.trained if id(p) in known]
        groups = [
            {"params": decayed, "weight_decay": WEIGHT_DECAY, "share": 1.0},
            {"params": others, "weight_decay": 0.0, "share": 1.0},
            {"params": careful, "weight_decay": 0.0, "share": CAREFUL},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate)
        learned = {id(value) for layer in self.layers for value in layer.state_dict(keep_vars=True).values()}
        # Names of what is learned, what it is now, and its average; counters are nobody's business.
        state = self.network.state_dict(keep_vars=True).items()
        self.learned = [name for name, value in state if id(value) in learned and value.is_floating_point()]
        self.values, self.means = ([of.state_dict()[name] for name in self.learned] for of in (self.network, self.average))
        self.step = 0
        self.spent = 0.0
        # Each time that it went on with something else: the card says it.
        self.runs: list[dict] = []
        self.checkpoint = options.work / f"{stage.name}.pt"
        saved = read(self.checkpoint, self.network)
        if saved:
            self.resume(saved)

    def resume(self, saved: dict) -> None:
        # The rest stays as it was given: it may have been trained further meanwhile.
        for network, state in ((self.network, saved["network"]), (self.average, saved["average"])):
            network.load_state_dict({name: state[name] for name in self.learned}, strict=False)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.spent, self.runs = saved["step"], saved["spent"], saved["runs"]
        print(f"{self.stage.name}: goes on after step {self.step}", flush=True)

    def save(self) -> None:
        self.runs[-1] |= {"up_to_batch": self.step, "up_to_minute": round(self.spent / 60, 1)}
        half = self.checkpoint.with_suffix(".half")
        state = {"network": self.network.state_dict(), "average": self.average.state_dict()}
        state |= {"optimizer": self.optimizer.state_dict(), "step": self.step, "spent": self.spent, "runs": self.runs}
        torch.save(state, half)
        half.rename(self.checkpoint)

    def progress(self) -> float:
        """Share of the schedule that is done, by steps or by time."""
        done = self.step / self.steps if self.steps else 1.0
        if self.minutes:
            done = max(done, self.spent / (self.minutes * 60))
        return min(done, 1.0)

    def rate(self) -> float:
        """Warm-up, then half a cosine down."""
        warm = min(1.0, (self.step + 1) / WARM_UP)
        return self.highest * warm * (0.5 + 0.5 * math.cos(math.pi * self.progress()))

    def run(self) -> None:
        if self.progress() >= 1:
            return
        run = self.stage.facts | {
            "device": torch.cuda.get_device_name() if self.on_gpu else "CPU",
            "pictures_in_a_batch_of_256x144": self.stage.count,
            "learning_rate": self.highest,
        }
        if not self.runs or self.runs[-1] | run != self.runs[-1]:
            self.runs.append(run)
        batches = Batches(self.stage, self.step, self.steps - self.step)
        loader = torch.utils.data.DataLoader(
            batches,
            batch_size=None,
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            pin_memory=self.on_gpu,
        )
        bar = tqdm(total=self.steps, initial=self.step, desc=self.stage.name, unit="batch", mininterval=5)
        means: dict[str, torch.Tensor] = {}
        last = time.monotonic()
        for batch in loader:
            for name, value in self.train(batch).items():
                means[name] = means[name].lerp(value, 0.02) if name in means else value
            now = time.monotonic()
            self.spent, last = self.spent + now - last, now
            self.step += 1
            bar.update()
            if self.step % TOLD_EVERY == 0:
                bar.set_postfix({name: f"{value.item():.4f}" for name, value in means.items()}, refresh=False)
            if self.step % SAVE_EVERY == 0:
                self.save()
            if self.step % CHECK_EVERY == 0:
                bar.write(self.report())
                last = time.monotonic()
            if self.progress() >= 1:
                break
        bar.close()
        self.save()
        print(self.report(), flush=True)

    def report(self) -> str:
        found = ", ".join(f"{name} {value:.4f}" for name, value in self.check().items())
        return f"{self.stage.name}: step {self.step}, {self.spent / 60:.1f} min: {found}"

    def check(self) -> dict[str, float]:
        with torch.no_grad():
            return self.stage.check(self.average)

    def train(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate() * group["share"]
        self.network.eval()
        for layer in self.layers:
            layer.train()
        batch = {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
        picture = batch["picture"].float().contiguous(memory_format=self.format)
        losses = self.stage.losses(self.network, picture, batch)
        self.optimizer.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 5.0)
        self.optimizer.step()
        # Early on the average must forget the beginning.
        keep = min(AVERAGING, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            get_ema_multi_avg_fn(keep)(self.means, self.values, None)
        return {name: value.detach() for name, value in losses.items()}
