"""Tables as pyarrow, pandas and datasets write them, for the tests of src/records: test/fixtures/data/tables.

pip install pyarrow==26.0.1 datasets==5.2.0 pandas==3.1.1; python bench/oracles/make_table_cases.py test/fixtures/data/tables
"""
import datetime
import decimal
import os
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
from datasets import Dataset, DatasetDict

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rows = 6
everything = pa.table({
    "messages": [[{"role": "user", "content": f"Say {i} ü漢🙂"}, {"role": "assistant", "content": f"{i}!"}] for i in range(rows)],
    "id": pa.array([9007199254740993 + i for i in range(rows)], pa.int64()),
    "score": pa.array([1.0, 0.5, None, float("nan"), 2.5, 1e300]),
    "day": pa.array([datetime.date(2024, 1, i + 1) for i in range(rows)]),
    "when": pa.array([datetime.datetime(2024, 1, 1, 12, 0, 0, 123456)] * rows, pa.timestamp("us")),
    "price": pa.array([decimal.Decimal("12345678901234567890.10")] * rows, pa.decimal128(25, 2)),
    "raw": pa.array([b"\xff\x00"] * rows),
    "u": pa.array([2**64 - 1] * rows, pa.uint64()),
    "tags": [["a", "b"], [], None, ["c"], ["d"], ["e"]],
    "m": pa.array([[("k", 1)]] * rows, pa.map_(pa.string(), pa.int64())),
    "f": [True, False, None, True, True, False],
})
for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    parquet.write_table(everything, f"{out}/messages-{codec}.parquet", compression=codec, row_group_size=4)
parquet.write_table(everything, f"{out}/messages-v2.parquet", compression="zstd", data_page_version="2.0", use_dictionary=False)

pairs = pa.table({"prompt": ["say 0", "say 1", "say 2", None], "completion": ["word 0", "word 1", "word 2", "x"], "n": [1, 2, 3, 4]})
parquet.write_table(pairs, f"{out}/pairs.parquet")
feather.write_feather(pairs, f"{out}/pairs-lz4.feather", compression="lz4")
long = pa.table({"text": [f"{i} {'ab' * (i % 50)} {i * 2654435761 % 4294967296}" for i in range(4000)]})
feather.write_feather(long, f"{out}/long-lz4.feather", compression="lz4")
feather.write_feather(pairs, f"{out}/pairs-zstd.feather", compression="zstd")
feather.write_feather(pairs, f"{out}/pairs.feather", compression="uncompressed")

call = lambda arguments: [{"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": arguments}}]}]
asked = [{"role": "user", "content": "w?"}]
tools = pa.Table.from_pylist([
    {"prompt": asked, "completion": call({"id": 7301234567890123457, "x": 1.0, "city": None})},
    {"prompt": asked, "completion": call({"id": 1, "x": 2.5, "city": "Bern"})},
])
parquet.write_table(tools, f"{out}/tools.parquet")


def stream(table, path):
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=4)


stream(everything, f"{out}/messages.arrow")
stream(tools, f"{out}/tools.arrow")
stream(pa.table({"prompt": pa.array(["a", "b", "a", None]).dictionary_encode(), "completion": pa.array(["x", "y", "z", "w"], pa.large_string())}), f"{out}/dictionary.arrow")

Dataset(everything.select(["messages", "id", "score"])).save_to_disk(f"{out}/saved", num_shards=2)
words = Dataset.from_dict({"prompt": [f"say {i}" for i in range(8)], "completion": [f"word {i}" for i in range(8)]})
DatasetDict({"train": words, "test": words.select(range(2))}).save_to_disk(f"{out}/saved-dict", num_shards={"train": 3, "test": 1})
pd.DataFrame({"text": ["a", "b"], "label": [1, 2]}).to_parquet(f"{out}/labelled.parquet")
