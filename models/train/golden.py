"""What the network says of a picture, by ONNX Runtime, as the program's tests compare it.

    python golden.py MODEL.onnx PICTURE.png

The picture is of the network's input size. Beside it, for each head, `PICTURE.HEAD.f32` is written: little-endian floats,
row by row, the values of a point together.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

HEADS = ("segments", "heatmaps")


def main(model: Path, picture: Path) -> None:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    values = cv2.imread(str(picture))[:, :, ::-1].astype(np.float32) / 127.5 - 1
    for head, output in zip(HEADS, session.run(list(HEADS), {"input": values[None]})):
        picture.with_suffix(f".{head}.f32").write_bytes(output[0].astype("<f4").tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
