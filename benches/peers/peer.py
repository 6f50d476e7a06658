"""One other engine, measured beside ours by benches/inference.rs, on one thread.

    peer.py onnxruntime|openvino f32|bf16 MODEL.onnx WIDTH HEIGHT INPUT

INPUT holds the picture as little-endian 32-bit floats, height x width x RGB. The graph is cut down to the output
`segments` and fixed to the picture's size before an engine sees it, so that each computes the same and nothing else.

On stdout, first `ready NOTE` (what was done to the graph, and who runs it) or `cannot REASON`. Then each line on stdin is
answered by one line: `run K` by the seconds of each of K runs, measured here: K times of the processor, all threads together, then K times of
the clock; `output` by the values of the output, in rows of grid points.
"""

import sys
import time

HEAD = "segments"


def cut(path, size):
    """The model's part that makes HEAD, for pictures of `size` (width, height), and what had to be changed in it."""
    import onnx

    whole = onnx.load(path)
    weights = {tensor.name for tensor in whole.graph.initializer}
    picture = next(value.name for value in whole.graph.input if value.name not in weights)
    model = onnx.utils.Extractor(whole).extract_model([picture], [HEAD])
    sides = [1, size[1], size[0], 3]
    for dim, side in zip(model.graph.input[0].type.tensor_type.shape.dim, sides, strict=True):
        dim.dim_value = side
    changed = [explicit_padding(node) for node in model.graph.node if node.op_type == "Conv"]
    return model.SerializeToString(), "padding of dilated layers made explicit" if any(changed) else ""


def explicit_padding(conv):
    """Replaces SAME_UPPER by numbers where it meets dilation, which ONNX Runtime refuses. Whether it did."""
    import onnx

    given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in conv.attribute}
    dilations = given.get("dilations", [1, 1])
    if given.get("auto_pad") != b"SAME_UPPER" or max(dilations) == 1 or max(given.get("strides", [1, 1])) > 1:
        return False
    total = [dilation * (side - 1) for dilation, side in zip(dilations, given["kernel_shape"], strict=True)]
    before = [each // 2 for each in total]
    kept = [attribute for attribute in conv.attribute if attribute.name != "auto_pad"]
    pads = before + [each - first for each, first in zip(total, before, strict=True)]
    del conv.attribute[:]
    conv.attribute.extend([*kept, onnx.helper.make_attribute("pads", pads)])
    return True


def onnxruntime(model, picture, precision):
    """A function that runs once and gives the output, and the engine's version."""
    import onnxruntime as ort

    if precision != "f32":
        raise ValueError("only f32 is measured")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: picture}
    return lambda: session.run([HEAD], given)[0], ort.__version__


def openvino(model, picture, precision):
    """As `onnxruntime`."""
    import openvino as ov

    core = ov.Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ValueError("this processor has no bf16")
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,
    }
    compiled = core.compile_model(core.read_model(model=model), "CPU", settings)
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(picture, shared_memory=True))
    output = request.get_output_tensor()

    def run():
        request.infer()
        return output.data

    return run, ov.__version__.split("-")[0]


def main():
    engine, precision, path, width, height, values = sys.argv[1:]
    size = int(width), int(height)
    try:
        # numpy and the engines are imported late, so that a missing one is reported like everything else.
        import numpy

        picture = numpy.fromfile(values, dtype="<f4").reshape(1, size[1], size[0], 3)
        model, note = cut(path, size)
        run, version = {"onnxruntime": onnxruntime, "openvino": openvino}[engine](model, picture, precision)
        output = run()
    except Exception as error:  # whatever is wrong, the caller's row says it
        reason = " ".join(str(error).split()) or type(error).__name__
        print("cannot", reason[:200], flush=True)
        return
    print("ready", "; ".join(filter(None, [version, note])), flush=True)
    for line in sys.stdin:
        match line.split():
            case ["run", count]:
                worked, passed = [], []
                for _ in range(int(count)):
                    clock, processor = time.perf_counter(), time.process_time()
                    output = run()
                    worked.append(time.process_time() - processor)
                    passed.append(time.perf_counter() - clock)
                print(*worked, *passed, flush=True)
            case ["output"]:
                print(*output.reshape(-1).tolist(), flush=True)


if __name__ == "__main__":
    main()
