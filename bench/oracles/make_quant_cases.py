"""Random blocks of every tensor type that nomoat reads, and the float32 values that the gguf package makes of them.

python bench/oracles/make_quant_cases.py test/fixtures/quants     (gguf, numpy and safetensors from PyPI)

Writes blocks.gguf (one tensor [3, 256] a type, named for it) and expected.safetensors. Scales are random too, but finite.
"""
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

ROWS, WIDTH = 3, 256
# Byte offsets of the float16 scales in a block.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "F16": [0]}
random = np.random.default_rng(0)


def random_blocks(name: str, rows: int, width: int, scale: float = 1.0) -> np.ndarray:
    """Bytes [rows, bytes per row]."""
    block, size = gguf.GGML_QUANT_SIZES[Type[name]]
    data = random.integers(0, 256, (rows * width // block, size), dtype=np.uint8)
    for at in SCALES.get(name, []):
        values = (random.normal(size=len(data)) * scale).astype(np.float16)
        data[:, at : at + 2] = values.view(np.uint8).reshape(-1, 2)
    if name == "F32":
        data = (random.normal(size=(rows * width)) * scale).astype(np.float32).view(np.uint8)
    if name == "BF16":
        data = (random.normal(size=(rows * width)) * scale).astype(np.float32).view(np.uint32)
        data = (data >> 16).astype(np.uint16).view(np.uint8)
    return data.reshape(rows, -1)


def dequantize(name: str, data: np.ndarray) -> np.ndarray:
    if name == "F32":
        return data.view(np.float32)
    if name == "F16":
        return data.view(np.float16).astype(np.float32)
    return gguf.dequantize(data, Type[name])


def add_tensor(writer: gguf.GGUFWriter, tensor: str, name: str, data: np.ndarray) -> None:
    # The writer knows float32 and float16 by their numpy types, the others by bytes.
    native = {"F32": np.float32, "F16": np.float16}.get(name)
    if native:
        writer.add_tensor(tensor, data.view(native))
    else:
        writer.add_tensor(tensor, data, raw_dtype=Type[name])


TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    writer = gguf.GGUFWriter(folder / "blocks.gguf", "llama")
    expected = {}
    for name in TYPES:
        data = random_blocks(name, ROWS, WIDTH)
        add_tensor(writer, name, name, data)
        expected[name] = np.ascontiguousarray(dequantize(name, data).astype(np.float32).reshape(ROWS, WIDTH))
        assert np.isfinite(expected[name]).all(), name
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, folder / "expected.safetensors")
    print(len(TYPES), "types")
