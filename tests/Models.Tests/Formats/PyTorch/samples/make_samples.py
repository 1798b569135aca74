"""Writes small checkpoints with PyTorch, and what PyTorch reads from them: samples.tsv with file, tensor, dtype, shape, SHA-256 of the elements row-major.

    python3 make_samples.py

The samples that are committed were written by PyTorch 1.13 and NumPy 1.24.
"""

import argparse
import collections
import hashlib
import pathlib

import numpy
import torch

HERE = pathlib.Path(__file__).parent

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "Bool",
    torch.complex64: "C64", torch.complex128: "C128",
}

ARRAYS = {"f2": "F16", "f4": "F32", "f8": "F64", "i2": "I16", "i4": "I32", "i8": "I64", "i1": "I8", "u1": "U8", "b1": "Bool"}


def dtypes():
    return {str(dtype).split(".")[1]: torch.randn(3, 5).mul(20).to(dtype) for dtype in DTYPES}


def strided():
    base = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32)
    cube = base.view(2, 3, 4, 5)
    half = torch.arange(60, dtype=torch.float16).view(3, 4, 5)
    return collections.OrderedDict(
        whole=cube,
        transposed=base[:24].view(4, 6).t(),
        permuted=cube.permute(2, 0, 3, 1),
        channels_last=torch.arange(2 * 3 * 4 * 5, dtype=torch.int64).view(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        columns=base.view(12, 10)[:, 2:7],
        steps=base.view(12, 10)[1::3, 1::2],
        offset=base[17:41],
        expanded=torch.tensor([1.5, 2.5, 3.5]).view(3, 1).expand(3, 4),
        repeated=torch.tensor(7, dtype=torch.int8).expand(2, 3, 5),
        windows=torch.arange(9, dtype=torch.int16).unfold(0, 4, 2),
        scalar=torch.tensor(3.25, dtype=torch.float64),
        lone=half[1:2, 3:4, 2:3],
        empty=torch.empty(0, 3),
        empty_view=half[:, 4:, :],
        half=half.transpose(0, 2),
        complex=torch.complex(base[:6], base[6:12]).view(2, 3).t(),
        double_complex=torch.complex(base[:6].double(), base[6:12].double()).view(2, 3).t(),
        bits=(base[:12].view(3, 4) > 5).t(),
    )


def training():
    torch.manual_seed(1)
    model = torch.nn.Sequential(collections.OrderedDict(
        embedding=torch.nn.Embedding(11, 4), rnn=torch.nn.LSTM(4, 3), decoder=torch.nn.Linear(4, 11, bias=False)))
    model.decoder.weight = model.embedding.weight
    optimizer = torch.optim.Adam(model.parameters())
    model.decoder(model.embedding(torch.tensor([[1, 2, 3]]))).sum().backward()
    optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "loss": 0.5, "note": "a text, näme 空", "none": None}


def python():
    counts = collections.defaultdict(list)
    counts["a"].append(torch.ones(2))
    return {
        "quantized": {"weight": (torch.arange(-6, 6, dtype=torch.int8).view(3, 4), torch.tensor([0.1, 0.2, 0.3])), "bias": [torch.zeros(3), 4]},
        "parameter": torch.nn.Parameter(torch.full((2, 2), 0.5)),
        1: torch.ones(1),
        ("a", 2): torch.ones(1, 2),
        "array": numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
        "fortran": numpy.asfortranarray(numpy.arange(24, dtype=numpy.int16).reshape(2, 3, 4)),
        "number": numpy.float64(2.5),
        "arguments": argparse.Namespace(rate=0.1, table=torch.arange(3)),
        "counts": counts,
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "device": torch.device("cuda", 0),
        "set": {1, 2},
        "frozen": frozenset([3]),
        "complex": 1 + 2j,
        "bytes": b"\x00\xff",
        "large": [2 ** 70, -2 ** 40, True, 1e300],
    }


def find(value, path=""):
    if isinstance(value, (torch.Tensor, numpy.ndarray)):
        yield path or "tensor", value
    elif isinstance(value, (dict, argparse.Namespace)):
        for key, child in (value if isinstance(value, dict) else vars(value)).items():
            name = ",".join(map(str, key)) if isinstance(key, tuple) else str(key)
            yield from find(child, f"{path}.{name}" if path else name)
    elif isinstance(value, (list, tuple)):
        for index, child in enumerate(value):
            yield from find(child, f"{path}.{index}" if path else str(index))


def row(file, name, value):
    if isinstance(value, numpy.ndarray):
        dtype, raw = ARRAYS[value.dtype.str[1:]], numpy.ascontiguousarray(value)
    else:
        value = value.detach().contiguous()
        dtype, raw = DTYPES[value.dtype], (value.view(torch.int16) if value.dtype == torch.bfloat16 else value).numpy()
    return "\t".join([file, name, dtype, "x".join(map(str, value.shape)), hashlib.sha256(raw.tobytes()).hexdigest()])


def main():
    torch.manual_seed(0)
    lines = []
    contents = {"dtypes": dtypes(), "strided": strided(), "training": training(), "python": python(), "lone": torch.arange(4.0), "pair": (torch.ones(2), torch.zeros(1))}
    for name, value in contents.items():
        for kind, settings in {
            "zip": {}, "zip-4": {"pickle_protocol": 4}, "legacy": {"_use_new_zipfile_serialization": False},
            "legacy-5": {"_use_new_zipfile_serialization": False, "pickle_protocol": 5},
        }.items():
            if kind.endswith(("4", "5")) and name not in ("strided", "python"):
                continue
            file = f"{name}.{kind}.pt"
            torch.save(value, HERE / file, **settings)
            lines += [row(file, path, tensor) for path, tensor in find(torch.load(HERE / file))]
    (HERE / "samples.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
