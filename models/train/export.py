"""The network as an ONNX file: batch normalisation folded away, in the layout that the program loads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from network import HEADS, STEP, Depthwise, Merge, Network, Pointwise, Pose, Stem

OPSET = 13
# Pixels of the input from one point of a map to the next.
STRIDES = {"quarter": 4, "pose": 8}
# Name of the factors that a map is enlarged by.
TWICE = "twice"


class Graph:
    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], name: str, **attributes) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def convolution(self, x: str, name: str, weight: np.ndarray, bias: np.ndarray, **attributes) -> str:
        inputs = [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)]
        return self.node("Conv", inputs, name, kernel_shape=list(weight.shape[2:]), **attributes)

    def layer(self, x: str, name: str, layer: torch.nn.Module) -> str:
        """A layer or a sequence of layers."""
        if isinstance(layer, torch.nn.Sequential):
            for index, one in enumerate(layer):
                x = self.layer(x, f"{name}.{index}", one)
            return x
        conv = layer.conv
        weight, bias = folded(layer)
        x = self.convolution(
            x, name, weight, bias, strides=list(conv.stride), pads=list(conv.padding) * 2, dilations=list(conv.dilation),
            group=conv.groups,
        )  # fmt: skip
        return self.node("Relu", [x], f"{name}.relu") if layer.active else x

    def merge(self, coarse: str, fine: str, name: str, merge: Merge) -> str:
        coarse = self.layer(coarse, f"{name}.coarse", merge.coarse)
        fine = self.layer(fine, f"{name}.fine", merge.fine)
        larger = self.node(
            "Resize", [coarse, "", TWICE], f"{name}.twice", mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip
        return self.node("Relu", [self.node("Add", [larger, fine], f"{name}.sum")], name)

    def pose(self, half: str, told: str, pose: Pose) -> str:
        quarter = self.layer(half, "pose.quarter", pose.quarter)
        eighth = self.layer(self.merge(told, quarter, "pose.merge_quarter", pose.merge_quarter), "pose.eighth", pose.eighth)
        sixteenth = self.layer(eighth, "pose.sixteenth", pose.sixteenth)
        return self.layer(self.merge(sixteenth, eighth, "pose.merge_eighth", pose.merge_eighth), "pose.fine", pose.fine)


def folded(layer: Stem | Depthwise | Pointwise) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases with the batch normalisation in them."""
    norm = layer.norm
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = layer.conv.weight * gain[:, None, None, None]
    bias = norm.bias - norm.running_mean * gain
    return weight.detach().cpu().float().contiguous().numpy(), bias.detach().cpu().float().numpy()


def export(network: Network, path: Path) -> None:
    """Writes the file, whole or not at all."""
    network = network.eval()
    graph = Graph()
    graph.weight(TWICE, np.array([1, 1, 2, 2], np.float32))
    half = graph.layer(graph.node("Transpose", ["input"], "picture", perm=[0, 3, 1, 2]), "stem", network.stem)
    quarter = graph.layer(half, "quarter", network.quarter)
    eighth = graph.layer(quarter, "eighth", network.eighth)
    sixteenth = graph.layer(eighth, "sixteenth", network.sixteenth)
    eighth = graph.layer(graph.merge(sixteenth, eighth, "merge_eighth", network.merge_eighth), "up_eighth", network.up_eighth)
    merged = graph.merge(eighth, quarter, "merge_quarter", network.merge_quarter)
    maps = {"quarter": graph.layer(merged, "up_quarter", network.up_quarter), "pose": graph.pose(half, eighth, network.pose)}
    for name, (_, map, unit) in HEADS.items():
        head = network.heads[name]
        weight, bias = (value.detach().cpu().float().contiguous().numpy() * unit for value in (head.weight, head.bias))
        logits = graph.convolution(maps[map], f"{name}.head", weight, bias)
        graph.node("Transpose", [logits], name, perm=[0, 2, 3, 1])
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, "rows", "columns", 3])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"rows/{STRIDES[map]}", f"columns/{STRIDES[map]}", count])
        for name, (count, map, _) in HEADS.items()
    ]
    proto = helper.make_graph(graph.nodes, "virfie-seg", inputs, outputs, graph.weights)
    model = helper.make_model(proto, producer_name="virfie", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    # Read by the program: sides of the input, and where a grid's values lie.
    helper.set_model_props(model, {"virfie.step": str(STEP), "virfie.grid": "cells"})
    onnx.checker.check_model(model)
    written = path.with_suffix(".half")
    onnx.save(model, str(written))
    written.rename(path)


def load(network: Network, path: Path) -> list[str]:
    """Gives a network the weights of a file that was written here, as far as that has layers of these names and shapes; gives
    back the names of the others."""
    weights = {tensor.name: np.array(numpy_helper.to_array(tensor)) for tensor in onnx.load(str(path)).graph.initializer}
    layers = [(name, 1.0, layer.conv, layer.norm) for name, layer in network.named_modules() if hasattr(layer, "conv")]
    layers += [(f"{name}.head", HEADS[name][2], head, None) for name, head in network.heads.items()]
    missing = []
    with torch.no_grad():
        for name, unit, conv, norm in layers:
            weight, bias = (weights.get(f"{name}.{kind}") for kind in ("weight", "bias"))
            if weight is None or weight.shape != tuple(conv.weight.shape):
                missing.append(name)
                continue
            conv.weight.copy_(torch.from_numpy(weight / unit))
            if norm is None:
                conv.bias.copy_(torch.from_numpy(bias / unit))
            else:
                # A normalisation that does nothing but add what was folded.
                norm.weight.fill_(1)
                norm.running_mean.fill_(0)
                norm.running_var.fill_(1 - norm.eps)
                norm.bias.copy_(torch.from_numpy(bias))
    return missing


def told(path: Path) -> dict | None:
    """What the card of a file tells of its training."""
    place = path.with_suffix(".card.json")
    return json.loads(place.read_text())["training"] if place.exists() else None


def card(path: Path, facts: dict) -> Path:
    """Writes beside the file what it is and how it came about."""
    content = path.read_bytes()
    tensors = onnx.load_from_string(content).graph.initializer
    weights = sum(numpy_helper.to_array(tensor).size for tensor in tensors if tensor.name != TWICE)
    words = {
        "file": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "weights": weights,
        "input": f"[1, rows, columns, 3]: RGB, -1..1, sides multiples of {STEP}",
        "outputs": {name: f"[1, rows/{STRIDES[map]}, columns/{STRIDES[map]}, {count}]" for name, (count, map, _) in HEADS.items()},
        "training": facts,
    }
    place = path.with_suffix(".card.json")
    place.write_text(json.dumps(words, indent=2) + "\n")
    return place
