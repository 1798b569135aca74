// Measures the test perplexity of the sample model with ONNX Runtime and compares it with the stated one.
//
//     NODE_PATH=<folder>/node_modules node verify-onnxruntime.cjs [model.onnx]
//
// <folder> is where `onnxruntime-node` was installed. The text is read as one sequence: zero state first, then the
// state of one chunk is carried to the next; every token after the first is predicted.
"use strict";

const fs = require("fs");
const path = require("path");
const ort = require("onnxruntime-node");

const CHUNK = 256;
const file = process.argv[2] || path.join(__dirname, "moby-dick-lstm.onnx");

/** The metadata of a safetensors file: u64 header length, then the JSON header. */
function metadataOf(safetensors) {
  const bytes = fs.readFileSync(safetensors);
  const length = Number(bytes.readBigUInt64LE(0));
  return JSON.parse(bytes.subarray(8, 8 + length).toString("utf8")).__metadata__;
}

/** -log softmax(row)[target] of one row of V logits. */
function surprise(row, target) {
  let top = -Infinity;
  for (const value of row) top = Math.max(top, value);
  let sum = 0;
  for (const value of row) sum += Math.exp(value - top);
  return Math.log(sum) + top - row[target];
}

async function main() {
  const folder = path.dirname(file);
  const { vocab } = JSON.parse(fs.readFileSync(path.join(folder, "vocab.json"), "utf8"));
  const rows = new Map(vocab.map((word, row) => [word, row]));
  const lines = fs.readFileSync(path.join(folder, "heldout.txt"), "utf8").trimEnd().split("\n");
  const ids = lines.flatMap((line) => [...line.split(" "), "<eos>"]).map((word) => rows.get(word));
  const metadata = metadataOf(file.replace(/\.onnx$/, ".safetensors"));

  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const hidden = session.inputMetadata.find((input) => input.name === "h0").shape[2];
  const zeros = () => new ort.Tensor("float32", new Float32Array(hidden), [1, 1, hidden]);
  let state = { h0: zeros(), c0: zeros() };
  let total = 0;
  for (let start = 0; start < ids.length - 1; start += CHUNK) {
    const count = Math.min(CHUNK, ids.length - 1 - start);
    const input = BigInt64Array.from(ids.slice(start, start + count), BigInt);
    const result = await session.run({ input: new ort.Tensor("int64", input, [count, 1]), ...state });
    state = { h0: result.hn, c0: result.cn };
    for (let step = 0; step < count; step++) {
      const row = result.logits.data.subarray(step * vocab.length, (step + 1) * vocab.length);
      total += surprise(row, ids[start + step + 1]);
    }
  }

  const found = Math.exp(total / (ids.length - 1));
  const stated = Number(metadata.test_ppl_sequence);
  const difference = Math.abs(found / stated - 1);
  console.log(`inputs: ${session.inputNames.join(", ")}; outputs: ${session.outputNames.join(", ")}`);
  console.log(`tokens: ${ids.length} (stated ${metadata.test_tokens})`);
  console.log(`test perplexity: ${found.toFixed(4)} (stated ${stated.toFixed(4)}, relative difference ${difference.toExponential(1)})`);
  if (ids.length !== Number(metadata.test_tokens) || !(difference < 1e-4)) {
    process.exitCode = 1;
  }
}

main();
