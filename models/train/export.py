"""The network as an ONNX file: batch normalisation folded away, in the layout that the program loads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from network import ENCODER, HEADS, STEP, Coded, Depthwise, Merge, Network, People, Pointwise, Pose, Stem

OPSET = 13
# Pixels of the input from one point of a map to the next.
STRIDES = {"quarter": 4, "parts": 4, "pose": 8}
# Name of the factors that a map is enlarged by, and of what values of the encoder lie between.
TWICE = "twice"
NOTHING, MOST = "nothing", "most"
# What an island of a mask must reach to be somebody: a mean probability, or a sum of the best probabilities of the 17
# keypoints in it. Measured for the network that is in the program (README.md); one that is trained again may want others.
BAR = {"mean": 0.87, "keypoints": 1.5, "least": 0.76}


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
        if isinstance(layer, Coded):
            return self.node("Clip", [x, NOTHING, MOST], f"{name}.clip")
        return self.node("Relu", [x], f"{name}.relu") if layer.active else x

    def merge(self, coarse: str, fine: str, name: str, merge: Merge) -> str:
        coarse = self.layer(coarse, f"{name}.coarse", merge.coarse)
        fine = self.layer(fine, f"{name}.fine", merge.fine)
        larger = self.node(
            "Resize", [coarse, "", TWICE], f"{name}.twice", mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip
        return self.node("Relu", [self.node("Add", [larger, fine], f"{name}.sum")], name)

    def people(self, half: str, people: People, name: str) -> str:
        eighth = self.layer(self.layer(half, f"{name}.quarter", people.quarter), f"{name}.eighth", people.eighth)
        sixteenth = self.layer(eighth, f"{name}.sixteenth", people.sixteenth)
        merged = self.merge(sixteenth, eighth, f"{name}.merge_eighth", people.merge_eighth)
        return self.layer(merged, f"{name}.up_eighth", people.up_eighth)

    def pose(self, picture: str, pose: Pose) -> str:
        half = self.layer(picture, "pose.stem", pose.stem)
        told = self.people(half, pose.people, "pose.people")
        quarter = self.layer(half, "pose.quarter", pose.quarter)
        eighth = self.layer(self.merge(told, quarter, "pose.merge_quarter", pose.merge_quarter), "pose.eighth", pose.eighth)
        sixteenth = self.layer(eighth, "pose.sixteenth", pose.sixteenth)
        return self.layer(self.merge(sixteenth, eighth, "pose.merge_eighth", pose.merge_eighth), "pose.fine", pose.fine)


def folded(layer: Coded | Stem | Depthwise | Pointwise) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases with the batch normalisation, if there is one, in them."""
    if isinstance(layer, Coded):
        return plain(layer.conv)
    norm = layer.norm
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = layer.conv.weight * gain[:, None, None, None]
    bias = norm.bias - norm.running_mean * gain
    return weight.detach().cpu().float().contiguous().numpy(), bias.detach().cpu().float().numpy()


def plain(conv: torch.nn.Conv2d) -> tuple[np.ndarray, np.ndarray]:
    return tuple(value.detach().cpu().float().contiguous().numpy() for value in (conv.weight, conv.bias))


def properties() -> dict[str, str]:
    """What the program reads of a file: sides of the input, where a grid's values lie, the bar for people."""
    return {"virfie.step": str(STEP), "virfie.grid": "cells", "virfie.doubt": ,".join(map(str, BAR.values()))}


def export(network: Network, path: Path) -> None:
    """Writes the file, whole or not at all."""
    network = network.eval()
    graph = Graph()
    graph.weight(TWICE, np.array([1, 1, 2, 2], np.float32))
    graph.weight(NOTHING, np.array(0, np.float32))
    graph.weight(MOST, np.array(Coded.most, np.float32))
    picture = graph.node("Transpose", ["input"], "picture", perm=[0, 3, 1, 2])
    coded = {"stem": graph.layer(picture, "stem", network.stem)}
    for before, part in zip(["stem", *ENCODER], ENCODER):
        coded[part] = graph.layer(coded[before], part, getattr(network, part))
    merged = graph.merge(coded["sixteenth"], coded["eighth"], "merge_eighth", network.merge_eighth)
    eighth = graph.layer(merged, "up_eighth", network.up_eighth)
    merged = graph.merge(eighth, coded["quarter"], "merge_quarter", network.merge_quarter)
    parts = graph.merge(eighth, coded["quarter"], "merge_parts", network.merge_parts)
    maps = {
        "quarter": graph.layer(merged, "up_quarter", network.up_quarter),
        "parts": graph.layer(parts, "up_parts", network.up_parts),
        "pose": graph.pose(picture, network.pose),
    }
    for name, (_, map, unit) in HEADS.items():
        head = network.heads[name]
        weight, bias = (value * unit for value in plain(head))
        logits = graph.convolution(maps[map], f"{name}.head", weight, bias)
        graph.node("Transpose", [logits], name, perm=[0, 2, 3, 1])
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, "rows", "columns", 3])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"rows/{STRIDES[map]}", f"columns/{STRIDES[map]}", count])
        for name, (count, map, _) in HEADS.items()
    ]
    proto = helper.make_graph(graph.nodes, "virfie-seg", inputs, outputs, graph.weights)
    model = helper.make_model(proto, producer_name="virfie", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(model, properties())
    onnx.checker.check_model(model)
    written = path.with_suffix(".half")
    onnx.save(model, str(written))
    written.rename(path)


# What layers were called in files where the narrow network that finds people made masks, too.
FORMER = (("pose.stem", "stem"), ("pose.people.", ""))


def load(network: Network, path: Path) -> list[str]:
    """Gives a network the weights of a file that was written here, as far as that has layers of these names and shapes; gives
    back the names of the others."""
    weights = {tensor.name: np.array(numpy_helper.to_array(tensor)) for tensor in onnx.load(str(path)).graph.initializer}
    layers = [
        (name, 1.0, layer.conv, getattr(layer, "norm", None))
        for name, layer in network.named_modules()
        if hasattr(layer, "conv")
    ]
    layers += [(f"{name}.head", HEADS[name][2], head, None) for name, head in network.heads.items()]
    missing = []
    for name, unit, conv, norm in layers:
        names = [name, *(former + name.removeprefix(now) for now, former in FORMER if name.startswith(now))]
        found = [(weights.get(f"{name}.weight"), weights.get(f"{name}.bias")) for name in names]
        found = [(weight, bias) for weight, bias in found if weight is not None and weight.shape == tuple(conv.weight.shape)]
        if found:
            fill(conv, norm, found[0][0] / unit, found[0][1] / unit)
        else:
            missing.append(name)
    return missing


def load_encoder(network: Network, path: Path) -> None:
    """Gives the encoder the weights of BodyPix 0.50: its convolutions come first in the file, in the same order."""
    graph = onnx.load(str(path)).graph
    weights = {tensor.name: np.array(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    given = [node.input[1:3] for node in graph.node if node.op_type == "Conv"]
    own = [layer.conv for part in network.encoder() for layer in part.modules() if isinstance(layer, Coded)]
    for conv, (weight, bias) in zip(own, given):
        if weights[weight].shape != tuple(conv.weight.shape):
            raise ValueError(f"{path}: {weights[weight].shape} where the encoder has {tuple(conv.weight.shape)}")
        fill(conv, None, weights[weight], weights[bias])


def fill(conv: torch.nn.Conv2d, norm: torch.nn.BatchNorm2d | None, weight: np.ndarray, bias: np.ndarray) -> None:
    """Gives a layer weights in which the normalisation is folded."""
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(weight))
        if norm is None:
            conv.bias.copy_(torch.from_numpy(bias))
            return
        # A normalisation that does nothing but add what was folded.
        norm.weight.fill_(1)
        norm.running_mean.fill_(0)
        norm.running_var.fill_(1 - norm.eps)
        norm.bias.copy_(torch.from_numpy(bias))


def told(path: Path) -> dict | None:
    """Returns what the card of a file says of its training."""
    place = path.with_suffix(".card.json")
    return json.loads(place.read_text())["training"] if place.exists() else None


def card(path: Path, facts: dict) -> Path:
    """Writes beside the file what it is and how it came about."""
    content = path.read_bytes()
    tensors = onnx.load_from_string(content).graph.initializer
    weights = sum(numpy_helper.to_array(tensor).size for tensor in tensors if tensor.name not in (TWICE, NOTHING, MOST))
    words = {
        "file": path.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "weights": weights,
        "input": f"[1, rows, columns, 3]: RGB, -1..1, sides multiples of {STEP}",
        "outputs": {name: f"[1, rows/{STRIDES[map]}, columns/{STRIDES[map]}, {count}]" for name, (count, map, _) in HEADS.items()},
        "doubt": BAR,
        "training": facts,
    }
    place = path.with_suffix(".card.json")
    place.write_text(json.dumps(words, indent=2) + "\n")
    return place
