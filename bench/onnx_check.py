"""Every emitted graph under the ONNX project's own checker: node bench/onnx-graphs.mjs OUT, then python bench/onnx_check.py OUT.

(onnx from PyPI.) check_model verifies the protobuf, the operators, their versions and attributes; with full_check also inferred types
and shapes. Operators of onnxruntime's own domain are beyond that checker; they are counted apart.
"""
import collections
import sys
from pathlib import Path

import onnx

paths = sorted(Path(sys.argv[1]).glob("*.onnx"))
assert paths, "no graphs: run bench/onnx-graphs.mjs first"
operators, foreign = collections.Counter(), collections.Counter()
for path in paths:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert len({node.name for node in model.graph.node}) == len(model.graph.node), f"{path.name}: node names repeat"
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    stated = {value.name: value.type.tensor_type for value in model.graph.output}
    for value in inferred.graph.output:
        assert value.type.tensor_type.elem_type == stated[value.name].elem_type, f"{path.name}: {value.name}"
    for node in model.graph.node:
        (foreign if node.domain else operators)[node.op_type] += 1
versions = {(entry.domain or "ai.onnx", entry.version) for path in paths for entry in onnx.load(path).opset_import}
print(f"{len(paths)} graphs pass onnx {onnx.__version__}'s checker; opsets {sorted(versions)}")
print("operators:", dict(operators.most_common()))
print("of other domains:", dict(foreign) or "none")
