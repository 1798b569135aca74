"""Writes what a reader must find in PyTorch files that are not part of the repository.

    python3 make_expect.py FOLDER

FOLDER holds the shared data: golden/burn, golden/candle, golden/picklescan and models. For the files that people made to be read, PyTorch itself says what
they hold: torch.load, and the SHA-256 of each tensor's elements, row-major. The files of picklescan are never loaded here; the table below says for each
what a reader must answer, from what is published about it (the tests of picklescan and its security advisories) and from the format's specification.

Lines: file, "ok", tensor, dtype, shape, SHA-256; or file, "refused", code, reason.
"""

import hashlib
import pathlib
import sys
import warnings
import zipfile

import torch

SETS = {
    "burn": ("golden/burn", ["**/*.pt"]),
    "candle": ("golden/candle", ["*.pt", "*.pth"]),
    "models": ("models", ["tinystoriesgru/*.pt", "gtcrn/*.tar"]),
}

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "Bool",
    torch.complex64: "C64", torch.complex128: "C128",
}

# What PyTorch can't load either.
BROKEN = {
    "reader-tests/reader/test_data/broken.pt": ("UnsupportedFormat", "three letters: no zip archive, no pickle"),
}

PICKLESCAN = {
    "bad_pytorch.pt": ("UnsupportedFormat", "a PNG image's signature under the name of a checkpoint"),
    "benign0_v0.pkl": ("UnsupportedFormat", "a list of texts: harmless, but holds no tensor"),
    "benign0_v3.pkl": ("UnsupportedFormat", "a list of texts: harmless, but holds no tensor"),
    "benign0_v4.pkl": ("UnsupportedFormat", "a list of texts: harmless, but holds no tensor"),
    "benign_password_protected.zip": ("UnsupportedArchive", "encrypted (general purpose bit 0)"),
    "broken_model.pkl": ("UnsafePickle", "names builtins.exec, then breaks off: what comes first runs when it is loaded"),
    "malicious0.pkl": ("UnsafePickle", "__builtin__.globals, compile, eval, getattr, apply"),
    "malicious1.7z": ("UnsupportedFormat", "a 7z archive, which torch.load doesn't read either"),
    "malicious1.zip": ("UnsafePickle", "data.pkl names builtins.eval"),
    "malicious10.pkl": ("UnsafePickle", "INST of __builtin__.exec"),
    "malicious11.pkl": ("UnsafePickle", "STACK_GLOBAL takes os.system from the memo"),
    "malicious12.pkl": ("UnsafePickle", "operator.attrgetter, builtins.__import__"),
    "malicious13a.pkl": ("UnsafePickle", "pickle.loads of a pickle inside"),
    "malicious13b.pkl": ("UnsafePickle", "_pickle.loads of a pickle inside"),
    "malicious14.pkl": ("UnsafePickle", "runpy._run_code"),
    "malicious15a.pkl": ("UnsafePickle", "bdb.Bdb.run by getattr"),
    "malicious15b.pkl": ("UnsafePickle", "bdb.Bdb.run by a dotted name"),
    "malicious16.pkl": ("UnsafePickle", "pip.main"),
    "malicious17.pkl": ("UnsafePickle", "torch._inductor.codecache.compile_file"),
    "malicious18.pkl": ("UnsafePickle", "pydoc.pipepager"),
    "malicious19.pkl": ("UnsafePickle", "functools.partial of torch.serialization.load"),
    "malicious1_0x1.zip": ("UnsupportedArchive", "general purpose bit 0: says that it is encrypted"),
    "malicious1_0x20.zip": ("UnsupportedArchive", "general purpose bit 5: says that it is patch data"),
    "malicious1_0x40.zip": ("UnsupportedArchive", "general purpose bit 6: says that it is strongly encrypted"),
    "malicious1_central_directory.zip": ("InvalidArchive", "the local header's name is another than the directory's"),
    "malicious1_v0.pkl": ("UnsafePickle", "__builtin__.eval, protocol 0"),
    "malicious1_v3.pkl": ("UnsafePickle", "builtins.eval, protocol 3"),
    "malicious1_v4.pkl": ("UnsafePickle", "builtins.eval, protocol 4"),
    "malicious1_wrong_ext.zip": ("UnsupportedFormat", "a pickle under the name data.txt, which no reader of models opens"),
    "not_a_pickle.bin": ("UnsupportedFormat", "begins like GLOBAL, but its name is no text"),
    "pytorch_magic_bypass.pt": ("UnsafePickle", "the magic number is the value of an eval"),
}


def tensors(value, path):
    if isinstance(value, torch.Tensor):
        yield path or "tensor", value.detach()
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from tensors(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for index, child in enumerate(value):
            yield from tensors(child, f"{path}.{index}" if path else str(index))


def digest(tensor):
    tensor = tensor.contiguous()
    raw = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
    return hashlib.sha256(raw.numpy().tobytes()).hexdigest()


def rows(root, file):
    name = file.relative_to(root).as_posix()
    if name in BROKEN:
        yield (name, "refused", *BROKEN[name])
        return
    for path, tensor in tensors(torch.load(file, map_location="cpu"), ""):
        yield name, "ok", path, DTYPES[tensor.dtype], "x".join(map(str, tensor.shape)), digest(tensor)


def write(name, lines):
    target = pathlib.Path(__file__).parent / f"{name}.tsv"
    target.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def picklescan(root):
    yield from ((file, "refused", *answer) for file, answer in PICKLESCAN.items())

    # The only one that holds a tensor: 3x4, row-major, all of its one storage.
    with zipfile.ZipFile(root / "new_pytorch_model.bin") as archive:
        elements = archive.read("archive/data/0")
    yield "new_pytorch_model.bin", "ok", "tensor", "F32", "3x4", hashlib.sha256(elements).hexdigest()


def main(folder):
    warnings.simplefilter("ignore")
    for name, (below, patterns) in SETS.items():
        root = pathlib.Path(folder) / below
        files = sorted(file for pattern in patterns for file in root.glob(pattern))
        write(name, [line for file in files for line in rows(root, file)])
    write("picklescan", picklescan(pathlib.Path(folder) / "golden/picklescan"))


if __name__ == "__main__":
    main(sys.argv[1])
