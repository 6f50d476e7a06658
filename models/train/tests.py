"""What must hold of the training, without training: `python tests.py DATA` (the data folder)."""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import torch

import export
import frames
import label
import poses
import prepared
import samples
import sources
import stages
import teachers
from network import RADIUS, REACH, Network
from trainer import Trainer, read


def nothing_that_is_held_out_is_trained_on(data: Path) -> None:
    names = {source.path.relative_to(data).as_posix() for source in sources.sources(data)}
    for forbidden in ("webcam/real_gt", "webcam/easyportrait_tiles", "webcam/hagrid_tiles", "coco_person_cc", "ccp/upper"):
        assert not any(name.startswith(forbidden) for name in names), forbidden
    upper = {path.stem for path in (data / "ccp/upper_images").glob("*.jpg")}
    assert upper and not any(name.startswith("ccp/images") and Path(name).stem in upper for name in names)
    for speaker in sources.HELD_OUT_SPEAKERS:
        assert not any(speaker in name for name in names), speaker
    kept_back = {f"general/{line}" for line in (data / "general/held_out.txt").read_text().split()}
    assert kept_back and not names & kept_back
    assert not any("dance-twirl" in name for name in names), "of a clip, everything"
    every = sum(1 for folder in sources.NOBODY for _ in (data / "general" / folder / "images").glob("*.jpg"))
    assert 0 < len(sources.negatives(data)) < every


def the_encoder_says_what_bodypix_says(data: Path) -> None:
    path, last = data / "models" / teachers.ENCODER, "MobilenetV1/Conv2d_11_pointwise/Relu6:0"
    model = onnx.load(str(path))
    model.graph.output.append(onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 97, 129, 3)).astype(np.float32)
    (theirs,) = session.run([last], {"input": picture})
    network = Network().eval()
    export.load_encoder(network, path)
    with torch.no_grad():
        ours = torch.from_numpy(picture).permute(0, 3, 1, 2)
        for part in network.encoder():
            ours = part(ours)
    assert np.abs(ours.numpy() - theirs).max() < 1e-3


def somebody() -> samples.Labelled:
    """A red person with a head, before something grey."""
    mask = np.zeros((200, 240), np.uint8)
    cv2.ellipse(mask, (120, 70), (22, 30), 0, 0, 360, 255, -1)
    cv2.rectangle(mask, (85, 100), (155, 190), 255, -1)
    picture = np.full((200, 240, 3), 90, np.uint8)
    picture[mask > 0] = 200, 20, 20
    parts = np.where(mask[::4, ::4] > 0, 2, label.NO_PART).astype(np.uint8)
    return samples.Labelled("general", picture, mask, True, parts, np.zeros((0, 17, 3), np.float32), (85, 40, 156, 191))


def windows_lie_in_the_picture_and_their_masks_on_people(_: Path) -> None:
    one, size = somebody(), (256, 144)
    for seed in range(30):
        rng = np.random.default_rng(seed)
        scene = samples.Scene(rng, size)
        matrix = samples.window(rng, one, scene.size)
        corners = np.array([[0, 0], [scene.size[0], 0], [0, scene.size[1]], scene.size], float)
        inside = (np.linalg.inv(matrix[:, :2]) @ (corners - matrix[:, 2]).T).T
        # But for a little turn.
        assert (inside > -45).all() and (inside < np.array([285, 245])).all(), (seed, inside)
        scene.person(one, matrix, cut_out=False)
        red = scene.picture[:, :, 0].astype(int) - scene.picture[:, :, 1] > 90
        assert (red != (scene.mask > 127)).mean() < 0.02, seed


def people_are_cut_out_one_by_one(_: Path) -> None:
    one = somebody()
    (cut,) = samples.cut_outs(one)
    assert cut.mask.shape[0] // 4 <= cut.parts.shape[0] and (cut.mask > 0).sum() == (one.mask > 0).sum()
    assert (cut.picture[cut.mask > 0] == (200, 20, 20)).all()
    one.mask[:, :3] = 255
    assert len(samples.cut_outs(one)) == 1, "whom the picture cuts off is left out"
    one.unknown = one.mask.copy()
    assert not samples.cut_outs(one), "nor is somebody who is known in part"


def what_hides_people_is_not_of_them(_: Path) -> None:
    scene = samples.Scene(np.random.default_rng(4), (256, 144))
    scene.mask[:], scene.parts[:] = 255, 3
    scene.thing(np.full((90, 160, 3), 128, np.uint8), before=True)
    hidden = cv2.resize(scene.mask, scene.parts.shape[::-1], interpolation=cv2.INTER_AREA) < 30
    assert hidden.any() and (scene.parts[hidden] == label.NO_PART).all() and (scene.parts == 3).any()


def batches_are_mirrored_whole(_: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batch.npz"
        mask = np.zeros((6, 144, 256), np.uint8)
        mask[:, :, :100] = 255
        picture = np.repeat(mask[..., None] // 2, 3, axis=3)
        small = mask[:, ::4, ::4]
        np.savez(path, picture=picture, mask=mask, parts=np.where(small > 0, 2, 4).astype(np.uint8), known=small // 255)
        rng = np.random.default_rng(1)
        plain = prepared.batch(path, rng, False)
        assert plain["picture"].shape == (6, 3, 144, 256) and (plain["mask"].numpy() == mask).all()
        again = prepared.batch(path, rng, True)
    # But for blurred edges, noise and what comes in at a turned picture's ends.
    picture = again["picture"]
    middle = (picture.amax(dim=(1, 2, 3)) + picture.amin(dim=(1, 2, 3))) / 2
    lit = picture.mean(dim=1) > middle[:, None, None]
    inside = again["mask"] > 127
    assert (lit == inside).float().mean() > 0.97
    inside, parts = inside[:, 1::4, 1::4], again["parts"]
    assert (inside == (again["known"] > 0)).float().mean() > 0.97
    pairs = ((2, 4), tuple(samples.MIRRORED_PARTS[[2, 4]]))
    found = set()
    for here, named in zip(inside.numpy(), parts.numpy()):
        right = [(named == np.where(here, *pair)).mean() for pair in pairs]
        assert max(right) > 0.9, right
        found.add(int(np.argmax(right)))
    assert found == {0, 1}, "left is right in a mirror image"


def parts_without_people_are_found(_: Path) -> None:
    picture, mask = np.zeros((360, 640, 3), np.uint8), np.zeros((360, 640), np.uint8)
    mask[:, :300] = 255
    picture[:, :300] = 255
    parts, poses = np.zeros((90, 160), np.uint8), np.zeros((0, 17, 3), np.float32)
    one = samples.Labelled("given", picture, mask, True, parts, poses, (0, 0, 300, 360))
    assert not (found := samples.empty_part(one)).any() and found.shape[0] >= samples.LEAST_EMPTY
    one.mask[::40] = 255
    assert samples.empty_part(one) is None


def what_is_unknown_teaches_nothing(_: Path) -> None:
    heads = {"segments": torch.randn(2, 1, 36, 64), "part_heatmaps": torch.randn(2, 24, 36, 64)}
    batch = {"mask": torch.zeros(2, 144, 256, dtype=torch.uint8), "known": torch.zeros(2, 36, 64, dtype=torch.uint8)}
    batch["parts"] = torch.zeros(2, 36, 64, dtype=torch.uint8)
    batch["known"][:, :18] = 1
    other = batch | {"mask": batch["mask"].clone()}
    # Far from what is known: its weight is that of an edge, too.
    other["mask"][:, 80:] = 255
    assert torch.equal(stages.mask_losses(heads, batch)["mask"], stages.mask_losses(heads, other)["mask"])
    assert torch.equal(stages.mask_losses(heads, batch)["dice"], stages.mask_losses(heads, other)["dice"])


def keypoints_are_where_the_heads_say(_: Path) -> None:
    pose = np.zeros((17, 3), np.float32)
    pose[:, 0], pose[:, 1], pose[:, 2] = np.linspace(30, 200, 17), np.linspace(20, 120, 17), 1.0
    targets = samples.pose_targets([pose], (256, 144))
    vectors = targets["vectors"].astype(np.float32)
    for keypoint in range(17):
        for row, column in np.argwhere(targets["heat"][keypoint] == 1):
            x = column * 8 + 3.5 + vectors[17 + keypoint, row, column] * samples.RADIUS
            y = row * 8 + 3.5 + vectors[keypoint, row, column] * samples.RADIUS
            assert np.hypot(x - pose[keypoint, 0], y - pose[keypoint, 1]) < 0.1
    for edge, (parent, child) in enumerate(poses.EDGES):
        row, column = np.argwhere(targets["heat"][parent] == 1)[0]
        x = column * 8 + 3.5 + vectors[34 + 16 + edge, row, column] * samples.REACH
        assert abs(x - pose[child, 0]) < 0.2


def keypoints_move_with_the_picture(_: Path) -> None:
    picture = np.zeros((288, 512, 3), np.uint8)
    places = [(200, 120), (300, 160)]
    for x, y in places:
        cv2.circle(picture, (x, y), 4, (255, 255, 255), -1)
    pose = np.zeros((1, 17, 3), np.float32)
    # Left and right eye; the middle of a pixel is half a pixel from its edge.
    pose[0, 1], pose[0, 2] = (*np.add(places[0], 0.5), 1), (*np.add(places[1], 0.5), 1)
    _, code = cv2.imencode(".png", picture)
    degraded, samples.degraded = samples.degraded, lambda _, picture: picture
    try:
        for seed in range(20):
            sample = frames.Frames([], None).sample(np.random.default_rng(seed), (256, 144), code, pose)
            light = sample["picture"].astype(np.float32).mean(axis=0) + 1
            heat, vectors = sample["heat"], sample["vectors"].astype(np.float32) * samples.RADIUS
            lefts = []
            for keypoint in (1, 2):
                row, column = np.argwhere(heat[keypoint] == 1)[0]
                x, y = column * 8 + 3.5 + vectors[17 + keypoint, row, column], row * 8 + 3.5 + vectors[keypoint, row, column]
                rows, columns = np.mgrid[0:144, 0:256]
                near = light * (np.hypot(columns - x, rows - y) < 8)
                seen = (near * columns).sum() / near.sum(), (near * rows).sum() / near.sum()
                assert np.hypot(seen[0] - x, seen[1] - y) < 0.15, (seed, keypoint, seen, x, y)
                lefts.append(x)
            assert lefts[0] < lefts[1], "a mirror image has left and right exchanged"
    finally:
        samples.degraded = degraded


def hands_are_seen_often(_: Path) -> None:
    size = (256, 144)
    pose = np.zeros((1, 17, 3), np.float32)
    pose[0, 9] = 500, 280, 0.9
    beyond, unsure = pose.copy(), pose.copy()
    beyond[0, 9, 1], unsure[0, 9, 2] = 290, 0.3
    assert [frames.hand_seen(found, size) for found in (pose, beyond, unsure, pose[:0])] == [True, False, False, False]
    made = frames.Frames([], None)
    others, hands = [(np.array([number]), unsure) for number in range(9)], [(np.array([9]), pose)]
    rng = np.random.default_rng(1)
    made.frames[size] = others, hands
    share = np.mean([made.pick(rng, size)[0][0] == 9 for _ in range(1000)])
    assert abs(share - frames.HANDS) < 0.05, share
    for only in ((others, []), ([], hands)):
        made.frames[size] = only
        assert {made.pick(rng, size)[0][0] for _ in range(200)} == {code[0] for code, _ in sum(only, [])}


def poses_are_found_where_they_are(_: Path) -> None:
    pose = np.zeros((17, 3), np.float32)
    angles = np.linspace(0, 2 * np.pi, 17, endpoint=False)
    pose[:, 0], pose[:, 1], pose[:, 2] = 128 + 70 * np.cos(angles), 72 + 50 * np.sin(angles), 1.0
    targets = samples.pose_targets([pose], (256, 144))
    vectors = np.nan_to_num(targets["vectors"].astype(np.float32))
    units = {"short_offsets": (0, 34, RADIUS), "displacement_fwd": (34, 66, REACH), "displacement_bwd": (66, 98, REACH)}
    heads = {name: vectors[first:last].transpose(1, 2, 0) * unit for name, (first, last, unit) in units.items()}
    heads["heatmaps"] = targets["heat"].transpose(1, 2, 0) * 16.0 - 8
    found = poses.decode(heads, (256, 144), (144, 256), cells=True)
    # Decoded places are given by the edges of pixels.
    assert len(found) == 1 and np.abs(found[0][:, :2] - 0.5 - pose[:, :2]).max() < 1.5, found
    assert poses.compare(pose[None], found, 144) == (7, 7)
    assert poses.compare(pose[None], found + 20, 144) == (7, 0)


def a_file_gives_its_weights_back(_: Path) -> None:
    torch.manual_seed(1)
    one, other = Network().eval(), Network().eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        export.export(one, path)
        assert export.load(other, path) == []
        properties = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    assert properties["virfie.grid"] == "cells" and properties["virfie.doubt"] == "0.87,1.5,0.76"
    picture = torch.rand(1, 3, 144, 256) * 2 - 1
    with torch.no_grad():
        ours, theirs = (network.masks(picture) | network.poses(picture) for network in (one, other))
    for name, values in ours.items():
        assert (values - theirs[name]).abs().max() < 1e-3 * max(1, values.abs().max()), name


def logits_are_moved_to_where_masks_are_best(_: Path) -> None:
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.linspace(-1, 1, 256), np.linspace(-1, 1, 144))
    ring = np.hypot(x, y) * 8 - 4
    mask = (ring < 0).astype(np.uint8) * 255
    one = samples.Labelled("given", rng.integers(0, 255, (144, 256, 3), np.uint8), mask, True, None, None, (0, 0, 1, 1))
    network = Network().eval()
    small = torch.from_numpy(cv2.resize(0.6 - ring, (64, 36), interpolation=cv2.INTER_AREA)).float()[None, None]
    network.masks = lambda picture: {"segments": small + network.heads["segments"].bias}
    torch.nn.init.zeros_(network.heads["segments"].bias)
    stage = stages.Masks([], [one])
    before = stage.check(network)["IoU"]
    assert abs(stage.calibrate(network) + 0.6) < 0.11 and stage.check(network)["IoU"] > max(before, 0.98)
    assert abs(stage.calibrate(network)) < 0.06, "once is enough"


class Few:
    """Keypoints of random pictures."""

    name, count, facts = "keypoints", 2, {}

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(number)
        return {"picture": torch.rand(2, 3, 48, 64, generator=generator) * 2 - 1}

    def layers(self, network: Network) -> list[torch.nn.Module]:
        return network.pose_layers()

    def careful(self, network: Network) -> list[torch.nn.Module]:
        return []

    def losses(self, network: Network, picture: torch.Tensor, _: dict) -> dict[str, torch.Tensor]:
        return {"all": sum(value.square().mean() for value in network.poses(picture).values())}

    def check(self, _: Network) -> dict[str, float]:
        return {}


def keypoints_go_on_by_themselves(_: Path) -> None:
    torch.manual_seed(2)
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(work=Path(folder), workers=0)
        run = lambda network, steps: Trainer(Few(), network, options, 1e-3, steps, None)
        first = run(Network(), 3)
        first.run()
        given = Network()
        others = [name for name, value in given.state_dict().items() if value.is_floating_point() and name not in first.learned]
        of_masks = {name: given.state_dict()[name].clone() for name in others}
        again = run(given, 6)
        assert again.step == 3, "goes on after what was saved"
        for network, saved in ((again.network, first.network), (again.average, first.average)):
            state, before = network.state_dict(), saved.state_dict()
            assert all(torch.equal(state[name], before[name]) for name in again.learned), "keypoints as they were saved"
        again.run()
        for network in (again.network, again.average):
            state = network.state_dict()
            assert all(torch.equal(state[name], value) for name, value in of_masks.items()), "masks as they were given"
        assert [run["up_to_batch"] for run in again.runs] == [6]
        state = torch.load(again.checkpoint)
        state["network"]["pose.quarter.0.0.conv.weight"] = torch.zeros(1)
        torch.save(state, again.checkpoint)
        try:
            read(again.checkpoint, Network())
        except SystemExit as end:
            assert "another network" in str(end)
        else:
            raise AssertionError("a checkpoint of another network is refused")


def outputs_have_their_sizes(_: Path) -> None:
    network, picture = Network().eval(), torch.zeros(1, 3, 144, 256)
    heads = network.masks(picture) | network.poses(picture)
    assert heads["segments"].shape == (1, 1, 36, 64) and heads["heatmaps"].shape == (1, 17, 18, 32)


TESTS = (
    nothing_that_is_held_out_is_trained_on,
    the_encoder_says_what_bodypix_says,
    windows_lie_in_the_picture_and_their_masks_on_people,
    people_are_cut_out_one_by_one,
    what_hides_people_is_not_of_them,
    batches_are_mirrored_whole,
    parts_without_people_are_found,
    what_is_unknown_teaches_nothing,
    keypoints_are_where_the_heads_say,
    keypoints_move_with_the_picture,
    hands_are_seen_often,
    poses_are_found_where_they_are,
    a_file_gives_its_weights_back,
    logits_are_moved_to_where_masks_are_best,
    keypoints_go_on_by_themselves,
    outputs_have_their_sizes,
)

if __name__ == "__main__":
    for test in TESTS:
        test(Path(sys.argv[1]))
        print(f"{test.__name__.replace('_', ' ')}: passed")
