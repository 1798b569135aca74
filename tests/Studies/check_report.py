"""Checks reports against an independent decoding with NumPy.

    CONDENSE_STUDY_OUTPUT=out dotnet run --project tests/Studies -c Release -- real-models
    python3 check_report.py FOLDER_OF_ORIGINALS out [MORE_FOLDERS ...]

For every report <name>.json in a folder, the result lies beside it as <name>.onnx, .safetensors or .npz, and the original is the file below
FOLDER_OF_ORIGINALS with the report's SHA-256. Every compressed layer is decoded here, from the file's own bytes and metadata, and
||W - W'|| / ||W|| is computed in 64 bits; so is the whole model's error. Prints the largest disagreement of each report and of all, relative to the
error; for layers that lose less than 1e-4, relative to one rounding to 32 bits, scaled so that 1e-6 is just allowed in both.
"""
import hashlib
import json
import os
import struct
import sys

import numpy as np

TOLERANCE = 1e-6

# Weights are decoded to 32 bits where they are used, and errors are measured against that; here everything is in 64. Below this error the rounding of
# decoded entries, 2^-24 of the weight, is more than a millionth of it: such layers are compared with that instead.
VISIBLE = 1e-4
ROUNDING = 2.0 ** -24

SAFETENSORS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8",
    "BOOL": "?", "BF16": "<u2",
}


def widen_bf16(values):
    return (values.astype(np.uint32) << 16).view(np.float32)


def read_safetensors(path):
    """name -> (bytes, dtype word, shape), metadata"""
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    metadata = header.pop("__metadata__", {})
    data = raw[8 + length:]
    return {name: (data[slice(*entry["data_offsets"])], entry["dtype"], entry["shape"]) for name, entry in header.items()}, metadata


def read_onnx(path):
    import onnx
    import onnx.numpy_helper
    model = onnx.load(path)
    types = {1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 9: "BOOL", 10: "F16", 11: "F64", 12: "U32", 13: "U64", 16: "BF16", 21: "U4", 22: "I4"}
    found, consumers = {}, {}

    def bytes_of(tensor):
        if tensor.HasField("raw_data"):
            return tensor.raw_data
        if tensor.data_type in (21, 22):
            return np.array(tensor.int32_data, dtype="<i4").astype("u1").tobytes()
        return onnx.numpy_helper.to_array(tensor).tobytes()

    def walk(graph, outer):
        constants = dict(outer)
        for tensor in graph.initializer:
            entry = (bytes_of(tensor), types.get(tensor.data_type, "?"), list(tensor.dims))
            found.setdefault(tensor.name, entry)
            constants[tensor.name] = entry
        for node in graph.node:
            if node.op_type == "Constant":
                for attribute in node.attribute:
                    if attribute.name == "value":
                        entry = (bytes_of(attribute.t), types.get(attribute.t.data_type, "?"), list(attribute.t.dims))
                        found.setdefault(node.output[0], entry)
                        if attribute.t.name:
                            found.setdefault(attribute.t.name, entry)
                        constants[node.output[0]] = entry
        for node in graph.node:
            for index, name in enumerate(node.input):
                if name in constants:
                    for label in [node.name] + list(node.output) + [node.op_type]:
                        if label:
                            consumers.setdefault(f"{label}/{index}", constants[name])
                            break
            for attribute in node.attribute:
                for subgraph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                    walk(subgraph, constants)

    walk(model.graph, {})
    for function in model.functions:
        walk_nodes = onnx.GraphProto()
        walk_nodes.node.extend(function.node)
        walk(walk_nodes, {})
    for name, entry in consumers.items():
        found.setdefault(name, entry)
    return found, {pair.key: pair.value for pair in model.metadata_props}


def read_arrays(arrays):
    words = {np.dtype(code).newbyteorder("<") if len(code) > 2 else np.dtype(code): word for word, code in SAFETENSORS.items() if word != "BF16"}
    return {name: (np.ascontiguousarray(array).tobytes(), words[array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype], list(array.shape)) for name, array in arrays.items()}


def read_numpy(path):
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return read_arrays({"array": loaded}), {}
    arrays = {name: loaded[name] for name in loaded.files}
    metadata = {}
    for name in list(arrays):
        if name.startswith("__metadata__"):
            metadata = json.loads(arrays.pop(name).tobytes().decode("utf-8"))
    return read_arrays(arrays), metadata


def read_pytorch(path):
    import torch
    found = {}

    def walk(value, name):
        if isinstance(value, torch.Tensor):
            if value.dtype == torch.bfloat16:
                found[name] = (value.contiguous().view(torch.int16).numpy().tobytes(), "BF16", list(value.shape))
            else:
                found.update(read_arrays({name: value.detach().contiguous().numpy()}))
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{name}.{key}" if name else str(key))
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                walk(item, f"{name}.{index}" if name else str(index))

    walk(torch.load(path, map_location="cpu"), "")
    return found, {}


def read(path):
    with open(path, "rb") as file:
        start = file.read(16)
    if path.endswith(".onnx"):
        return read_onnx(path)
    if start[:6] == b"\x93NUMPY" or path.endswith(".npz"):
        return read_numpy(path)
    if path.endswith(".safetensors"):
        return read_safetensors(path)
    return read_pytorch(path)


def floats(entry):
    raw, word, _ = entry
    values = np.frombuffer(raw, dtype=SAFETENSORS[word])
    return (widen_bf16(values) if word == "BF16" else values).astype(np.float64)


def unpack(raw, bits, count, signed):
    """Codes of any width, packed flat from the lowest bit up."""
    stream = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), bitorder="little")[:count * bits].reshape(count, bits)
    codes = (stream.astype(np.int64) << np.arange(bits)).sum(axis=1)
    return np.where(codes >= 1 << (bits - 1), codes - (1 << bits), codes) if signed else codes


class Decoder:
    """Puts a layer together from its record in the metadata."""

    def __init__(self, tensors, record, turned):
        self.tensors, self.record, self.turned = tensors, record, turned

    def entry(self, suffix):
        name = (self.record.get("tensors") or {}).get(suffix) or self.record["name"] + suffix
        return self.tensors[name]

    def matrix(self, values, rows, columns, suffix):
        turned = self.record["transposed"] and (self.turned or suffix == "")
        return values.reshape(columns, rows).T if turned else values.reshape(rows, columns)

    def decode(self, form, suffix=""):
        kind, rows, columns = form["structure"], form["rows"], form["columns"]
        if kind == "dense":
            return self.matrix(floats(self.entry(suffix)), rows, columns, suffix)
        if kind == "product":
            return self.decode(form["left"], suffix + ".lr_u") @ self.decode(form["right"], suffix + ".lr_v")
        if kind == "rowPartition":
            blocks = np.concatenate([self.block(block, suffix, number) for number, block in enumerate(form["blocks"])])
            if form.get("permuted"):
                return blocks[np.frombuffer(self.entry(suffix + ".gr_perm")[0], dtype="<i4")]
            return blocks
        if kind == "quantized":
            return self.quantized(form, suffix)
        raise ValueError(f"Nothing is known of the structure {kind}.")

    def block(self, form, suffix, number):
        """Factors among blocks of rows have names of their own."""
        if form["structure"] == "product":
            return self.decode(form["left"], f"{suffix}.gr_u{number}") @ self.decode(form["right"], f"{suffix}.gr_v{number}")
        return self.decode(form, f"{suffix}.rp{number}")

    def quantized(self, form, suffix):
        rows, columns, bits = form["rows"], form["columns"], form.get("storedBits") or form["codeBits"]
        signed = form["symmetric"]

        def codes(ending, count, shape):
            raw = self.entry(suffix + ending)[0]
            values = np.frombuffer(raw, dtype="i1" if signed else "u1").astype(np.int64) if bits == 8 else unpack(raw, bits, count, signed)
            return self.matrix(values[:count], *shape, suffix + ending) if len(shape) == 2 else values[:count]

        granularity = form["granularity"]
        group = form["groupSize"] or columns
        groups = -(-columns // group)
        shape = {"perTensor": (1,), "perRow": (rows,), "perColumn": (columns,), "perGroup": (rows, groups)}[granularity]
        scale = floats(self.entry(suffix + ".scale"))
        scale = self.matrix(scale, rows, groups, suffix + ".scale") if granularity == "perGroup" else scale
        zero = np.zeros_like(scale) if signed else codes(".zp", int(np.prod(shape)), shape)

        def spread(values):
            if granularity == "perGroup":
                return np.repeat(values, group, axis=1)[:, :columns]
            return values.reshape(-1, 1) if granularity in ("perRow", "perTensor") else values.reshape(1, -1)

        return (codes(".q", rows * columns, (rows, columns)) - spread(zero)) * spread(scale)


def disagreement(mine, reported):
    """Relative to the error; for errors so small that 32 bits hardly show them, relative to the weight, in units of the tolerance."""
    gap = abs(mine - reported)
    return gap / mine if mine >= VISIBLE else gap / ROUNDING * TOLERANCE


def check(report_path, originals):
    with open(report_path, encoding="utf-8") as file:
        report = json.load(file)
    stem = report_path[:-len(".json")]
    result = next(stem + ending for ending in (".onnx", ".safetensors", ".npz") if os.path.exists(stem + ending))
    original, _ = read(originals[report["digestBefore"]])
    tensors, metadata = read(result)
    records = {record["name"]: record for record in json.loads(metadata["condense"])["layers"]} if "condense" in metadata else {}
    worst, error, energy, decoded = 0.0, 0.0, 0.0, 0
    for layer in report["layers"]:
        rows, columns = layer["rows"], layer["columns"]
        weight = floats(original[layer["name"]])
        energy += float(weight @ weight)
        if layer.get("form") is None:
            assert layer["relativeError"] == 0, layer
            continue
        record = records[layer["name"]]
        assert record["form"] == layer["form"], (record["form"], layer["form"])
        weight = weight.reshape(columns, rows).T if record["transposed"] else weight.reshape(rows, columns)
        difference = weight - Decoder(tensors, record, result.endswith(".onnx")).decode(record["form"])
        squared = float((difference * difference).sum())
        error += squared
        decoded += 1
        mine = np.sqrt(squared / float((weight * weight).sum())) if squared else 0.0
        gap = disagreement(mine, layer["relativeError"])
        if gap > TOLERANCE:
            print(f"  {layer['name']}: report {layer['relativeError']!r}, here {mine!r}")
        worst = max(worst, gap)
    whole = np.sqrt(error / energy) if energy else 0.0
    worst = max(worst, disagreement(whole, report["relativeError"]))
    size = os.path.getsize(result)
    assert size == report["bytesAfter"], (size, report["bytesAfter"])
    print(f"{os.path.basename(result)}: {decoded} layers decoded, {len(report['layers']) - decoded} kept, relative error {whole:.6g}, largest disagreement {worst:.2e}")
    return worst


def main():
    originals = {}
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                originals[hashlib.sha256(file.read()).hexdigest()] = path
    worst = 0.0
    for folder in sys.argv[2:]:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".json"):
                worst = max(worst, check(os.path.join(folder, name), originals))
    print(f"largest disagreement of all: {worst:.2e}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
