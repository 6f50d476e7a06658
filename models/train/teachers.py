"""The networks that label what has no hand labels.

Meet's and ML Kit's segmentation see people near a camera well and know nothing of legs; BodyPix sees everybody, coarsely.
So every picture is looked at whole and in 16:9 windows, as seen and mirrored; a window's word counts where it agrees with
BodyPix that somebody is there.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

MEET = (256, 144)
ML_KIT = (256, 256)
BODYPIX = "MobileNetV1-x075-stride8-dequant.onnx"
# What the encoder starts from.
ENCODER = "MobileNetV1-x050-stride16.onnx"
# Pixels of BodyPix's input, as in "0.75, stride 8 at 513x289".
BODYPIX_AREA = 513 * 289
# Of the masks of a window: from here on BodyPix and the others speak of the same people.
AGREEMENT = 0.7


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """IoU of two masks (0..1) at one half; 1 where both are empty."""
    one, other = one > 0.5, other > 0.5
    either = (one | other).sum()
    return float((one & other).sum() / either) if either else 1.0


class LiteRt:
    """One of Google's TensorFlow Lite networks: RGB 0..1 in, probability of a person out."""

    def __init__(self, path: Path, size: tuple[int, int]):
        from ai_edge_litert.interpreter import Interpreter

        self.size = size
        self.interpreter = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Probabilities at the picture's size, means of the picture and its mirror image."""
        seen = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        both = (self.run(seen) + self.run(seen[:, ::-1])[:, ::-1]) / 2
        return cv2.resize(both, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    def run(self, seen: np.ndarray) -> np.ndarray:
        self.interpreter.set_tensor(self.input, np.ascontiguousarray(seen[None]))
        self.interpreter.invoke()
        out = self.interpreter.get_tensor(self.output)[0]
        if out.shape[2] == 1:
            return out[:, :, 0]
        # Two logits: background and person.
        return sigmoid(out[:, :, 1] - out[:, :, 0])


class BodyPix:
    """BodyPix 0.75 at stride 8: mask, body parts and keypoints."""

    HEADS = ("segments", "part_heatmaps", "heatmaps", "short_offsets", "displacement_fwd", "displacement_bwd")

    def __init__(self, path: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def heads(self, picture: np.ndarray) -> tuple[tuple[int, int], dict[str, np.ndarray]]:
        """Input size (columns, rows) and the values of each grid point; points lie at `8 i` pixels of the input."""
        rows, columns = picture.shape[:2]
        height = (BODYPIX_AREA * rows / columns) ** 0.5
        size = tuple(int(np.clip(round((side - 1) / 16), 4, 64)) * 16 + 1 for side in (height * columns / rows, height))
        seen = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) / 127.5 - 1
        values = self.session.run(list(self.HEADS), {"input": seen[None]})
        return size, {name: value[0] for name, value in zip(self.HEADS, values)}

    def mask(self, logits: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Probabilities at `shape` (rows, columns): grid points lie on the picture's edges, unlike pixels."""
        rows, columns = shape
        x = np.linspace(0, logits.shape[1] - 1, columns, dtype=np.float32)
        y = np.linspace(0, logits.shape[0] - 1, rows, dtype=np.float32)
        grid = np.ascontiguousarray(logits[:, :, 0])
        return sigmoid(cv2.remap(grid, *np.meshgrid(x, y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


class Teachers:
    """All of them together."""

    def __init__(self, models: Path):
        self.meet = LiteRt(models / "meet-full-256x144.tflite", MEET)
        self.ml_kit = LiteRt(models / "selfie-mlkit-256x256.tflite", ML_KIT)
        self.bodypix = BodyPix(models / BODYPIX)

    def label(self, picture: np.ndarray) -> tuple[np.ndarray, float, tuple[int, int], dict[str, np.ndarray]]:
        """Probability of a person at each pixel (0..1), how far the teachers agree (0..1), and BodyPix's heads with the
        size of its input (columns, rows)."""
        shape = picture.shape[:2]
        size, heads = self.bodypix.heads(picture)
        _, mirrored = self.bodypix.heads(picture[:, ::-1])
        coarse = (self.bodypix.mask(heads["segments"], shape) + self.bodypix.mask(mirrored["segments"], shape)[:, ::-1]) / 2
        votes, weights = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        agreements = []
        for x, y, width, height in windows(shape):
            view = padded(picture, x, y, width, height)
            word = 0.6 * self.meet(view) + 0.4 * self.ml_kit(view)
            left, top = max(x, 0), max(y, 0)
            right, bottom = min(x + width, shape[1]), min(y + height, shape[0])
            word = word[top - y : bottom - y, left - x : right - x]
            agreement = overlap(word, coarse[top:bottom, left:right])
            agreements.append(agreement)
            if agreement >= AGREEMENT:
                # Towards the ends of a window the others see more of what is around.
                weight = window_weight(word.shape)
                votes[top:bottom, left:right] += weight * word
                weights[top:bottom, left:right] += weight
        # BodyPix where nobody else had a word, and a little everywhere.
        mask = (votes + 0.05 * coarse) / (weights + 0.05)
        return mask, float(np.mean(agreements)), size, heads


def windows(shape: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Left, top, width, height of what Meet looks at: the whole, in a frame of 16:9, and windows of 16:9 all the way
    down where the picture is higher than that."""
    rows, columns = shape
    if columns * 9 >= rows * 16 * 0.9:
        return [(0, 0, columns, rows)]
    wide = round(rows * 16 / 9)
    found = [((columns - wide) // 2, 0, wide, rows)]
    high = round(columns * 9 / 16)
    count = max(2, int(np.ceil((rows - high) / (high * 0.5))) + 1)
    found += [(0, round((rows - high) * index / (count - 1)), columns, high) for index in range(count)]
    return found


def padded(picture: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    """A window of a picture; what lies outside of it is grey."""
    rows, columns = picture.shape[:2]
    view = picture[max(y, 0) : y + height, max(x, 0) : x + width]
    left, top = max(-x, 0), max(-y, 0)
    right, bottom = width - left - view.shape[1], height - top - view.shape[0]
    if not (left or top or right or bottom):
        return view
    return cv2.copyMakeBorder(view, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114))


def window_weight(shape: tuple[int, int]) -> np.ndarray:
    """1 in the middle, a fifth at the upper and lower ends."""
    rows = 1 - 0.8 * np.abs(np.linspace(-1, 1, shape[0], dtype=np.float32)) ** 3
    return np.repeat(rows[:, None], shape[1], axis=1)
