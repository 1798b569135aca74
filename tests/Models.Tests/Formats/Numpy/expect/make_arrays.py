"""Writes numpy-arrays.tsv: NPY files of every dtype, byte order and memory order that is read, as NumPy itself writes them.

Columns: name; the NPY file, base64; what a reader must make of it: dtype, shape, and the bytes in row-major, little-endian order, base64.
Run: python3 make_arrays.py > numpy-arrays.tsv (made with NumPy 1.24.2).
"""

import base64
import io

import numpy as np

DTYPES = {
    "b1": "Bool", "i1": "I8", "u1": "U8", "i2": "I16", "u2": "U16", "f2": "F16", "i4": "I32", "u4": "U32", "f4": "F32",
    "i8": "I64", "u8": "U64", "f8": "F64", "c8": "C64", "c16": "C128",
}
SHAPES = [(), (5,), (3, 4), (2, 3, 2), (1, 3, 1, 2)]


def values(code, shape):
    count = int(np.prod(shape, dtype=np.int64))
    numbers = np.arange(1, count + 1)
    if code == "b1":
        return (numbers % 3 == 0).reshape(shape)
    if code[0] in "fc":
        parts = numbers / 8 - 1
        return (parts if code[0] == "f" else parts + 1j * (2 * parts + 3)).astype(code).reshape(shape)
    # Bytes that differ from each other, so that none can change its place unseen.
    return (numbers * 0x0123456789ABCDF1 % 2 ** (8 * int(code[1:]) - (code[0] == "i"))).astype(code).reshape(shape)


def line(name, array, dtype, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=False)
    plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).reshape(array.shape)
    shape = ",".join(map(str, array.shape))
    print("\t".join([name, base64.b64encode(file.getvalue()).decode(), dtype, shape, base64.b64encode(plain.tobytes()).decode()]))


for code, dtype in DTYPES.items():
    for order in "<>" if int(code[1:]) > 1 else "|":
        for shape in SHAPES:
            for layout in "CF" if len(shape) > 1 else "C":
                array = np.array(values(code, shape), dtype=order + code, order=layout)
                line(f"{order}{code} {'x'.join(map(str, shape)) or 'scalar'} {layout}", array, dtype)

line("version 1.0", values("f4", (2, 2)), "F32", (1, 0))
line("version 2.0", values("f4", (2, 2)), "F32", (2, 0))
line("version 3.0", values("f4", (2, 2)), "F32", (3, 0))
line("empty 0", values("f4", (0,)), "F32")
line("empty 0x3 F", np.zeros((0, 3), "f4", order="F"), "F32")
line("empty 3x0x2", np.zeros((3, 0, 2), "<i8"), "I64")
line("strides", values("f4", (6, 6))[::2, 1::2], "F32")
line("reversed", values("f4", (4,))[::-1], "F32")
line("rank 32", values("u1", (1,) * 30 + (2, 2)), "U8")
