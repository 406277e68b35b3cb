"""What llama.cpp makes of float32: the oracle of the block quantizers and of llama-quantize's choice of types.

python bench/oracles/make_quantize_cases.py LIBRARIES test/fixtures/reference test/fixtures/quantize     (numpy and gguf from PyPI)

LIBRARIES is node_modules/@node-llama-cpp/PLATFORM/bins/PLATFORM. Writes values.bin (float32, rows of 256), TYPE.bin, and
models.json: of each reference model as llama_model_quantize writes it, type and SHA-256 of every tensor.
"""
import ctypes
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy
from gguf import GGUFReader

libraries, reference, out = map(Path, sys.argv[1:4])
out.mkdir(parents=True, exist_ok=True)
for name in ["libggml-base.so", "libggml.v*.so", "libllama.v*.so"]:
    found = ctypes.CDLL(str(next(libraries.glob(name))), mode=ctypes.RTLD_GLOBAL)
base = ctypes.CDLL(str(libraries / "libggml-base.so"))
base.ggml_quantize_chunk.restype = ctypes.c_size_t
base.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
random = numpy.random.default_rng(5)
rows = [random.normal(size=256) * 0.02 for _ in range(20)] + [random.standard_t(2, size=256) * 0.1 for _ in range(12)]
rows += [numpy.zeros(256), numpy.full(256, 0.3), -numpy.abs(random.normal(size=256)), numpy.abs(random.normal(size=256)), random.normal(size=256) * 1e-9]
rows += [numpy.concatenate([numpy.zeros(128), random.normal(size=128)])]
values = numpy.stack(rows).astype(numpy.float32)
values.tofile(out / "values.bin")
for name, (kind, size, bytes_) in {"Q4_0": (2, 32, 18), "Q5_0": (6, 32, 22), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144), "Q6_K": (14, 256, 210)}.items():
    made = numpy.zeros(values.size // size * bytes_, dtype=numpy.uint8)
    assert base.ggml_quantize_chunk(kind, values.ctypes.data, made.ctypes.data, 0, *values.shape, None) == made.size
    made.tofile(out / f"{name}.bin")


class Parameters(ctypes.Structure):
    _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int32), ("rest", ctypes.c_uint8 * 248)]


found.llama_model_quantize_default_params.restype = Parameters
found.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Parameters)]
found.llama_backend_init()
models = {}
for name in ["llama", "qwen2", "qwen3"]:
    for ftype, number in {"Q8_0": 7, "Q4_0": 2, "Q4_K_M": 15}.items():
        with tempfile.TemporaryDirectory() as alone:
            parameters = found.llama_model_quantize_default_params()
            parameters.nthread, parameters.ftype = 1, number
            target = f"{alone}/out.gguf"
            assert found.llama_model_quantize(str(reference / name / "base.gguf").encode(), target.encode(), ctypes.byref(parameters)) == 0
            tensors = GGUFReader(target).tensors
            models[f"{name} {ftype}"] = {t.name: [t.tensor_type.name, hashlib.sha256(t.data.tobytes()).hexdigest()] for t in tensors}
(out / "models.json").write_text(json.dumps(models, indent=1) + "\n")
print(len(models), "models,", values.shape[0], "rows")
