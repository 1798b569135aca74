using Condense.Models.Tests.Formats.PyTorch;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>PyTorch checkpoints of one container: broken pickles in whole containers, and whole pickles in broken ones.</summary>
/// <param name="legacy">Whether the container is the older one.</param>
internal sealed class PyTorchFuzz(bool legacy) : FuzzFormat
{
    // Instructions that matter, as they stand in pickles.
    private static readonly byte[][] s_snippets =
    [
        [.. "cos\nsystem\n"u8], [.. "ctorch\nFloatStorage\n"u8], [.. "ctorch\nLongStorage\n"u8], [.. "ctorch._utils\n_rebuild_tensor_v2\n"u8],
        [.. "ctorch._utils\n_rebuild_parameter\n"u8], [.. "ccollections\nOrderedDict\n"u8], [.. "cnumpy\ndtype\n"u8], [.. "cargparse\nNamespace\n"u8],
        [.. "c__builtin__\nset\n"u8], [.. "(t"u8], [.. "(l"u8], [.. "(d"u8], [.. "(NNu"u8], [.. "N0"u8], [.. "2a"u8], [.. ")R"u8], [.. "}b"u8], [.. "Q"u8], [.. "R"u8], [.. "b"u8],
        [.. "h\0"u8], [.. "q\0"u8], [.. "h\x01"u8], [.. "q\x01"u8], [.. "h\x05"u8], [.. "I01\n"u8], [.. "L12L\n"u8], [.. "F1e9\n"u8], [.. "S'a'\n"u8], [.. "Va\n"u8], [.. "1"u8], [.. "."u8],
        [0x80, 4], [0x81], [0x82, 1], [0x85], [0x86], [0x87], [0x88], [0x8A, 2, 0xFF, 0x7F], [0x8C, 1, (byte)'b'], [0x8F], [0x90], [0x91], [0x93], [0x94], [0x95, 3, 0, 0, 0, 0, 0, 0, 0],
    ];

    private static readonly byte[] s_bytes = [.. Enumerable.Range(0, 96).Select(value => (byte)value)];

    private readonly byte[][] _pickles = [.. Pickles()];
    private readonly byte[][] _files = [.. Pickles().Select(pickle => Contain(pickle, legacy))];

    public override string Name => legacy ? "pytorch-legacy" : "pytorch";

    public override byte[] Make(Random random)
    {
        if (random.Next(4) == 0)
        {
            return legacy
                ? ByteMutations.Any(_files[random.Next(_files.Length)], _files[random.Next(_files.Length)], random)
                : ZipFuzz.Mutate(_files, random);
        }

        byte[] pickle = _pickles[random.Next(_pickles.Length)];
        for (int step = random.Next(1, 4); step > 0; step--)
        {
            pickle = random.Next(4) switch
            {
                0 => ByteMutations.Any(pickle, _pickles[random.Next(_pickles.Length)], random),
                1 => ByteMutations.SetNumber(pickle, random.Next(pickle.Length + 1), 1 << random.Next(3), random),
                _ => Insert(pickle, random),
            };
        }

        return Contain(pickle, legacy);
    }

    public override void Read(string path)
    {
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        ReadTensors(model);
    }

    // Puts instructions at any place, in place of some of what is there or beside it.
    private static byte[] Insert(byte[] pickle, Random random)
    {
        int at = random.Next(pickle.Length + 1);
        byte[] snippet = s_snippets[random.Next(s_snippets.Length)];
        return [.. pickle[..at], .. snippet, .. pickle[Math.Min(pickle.Length, at + (random.Next(3) * random.Next(4)))..]];
    }

    private static byte[] Contain(byte[] pickle, bool legacy) => legacy
        ? CheckpointBytes.Legacy(pickle, ("0", 24, s_bytes), ("1", 2, s_bytes[..16]))
        : CheckpointBytes.Zip(pickle, ("0", s_bytes), ("1", s_bytes[..16]));

    private static IEnumerable<byte[]> Pickles()
    {
        yield return PickleBytes.Dictionary(
            ("layer.weight", write => write.Tensor("FloatStorage", "0", 24, 0, [4, 6], [6, 1])),
            ("layer.turned", write => write.Tensor("FloatStorage", "0", 24, 2, [2, 3, 3], [1, 6, 2])),
            ("count", write => write.Tensor("LongStorage", "1", 2, 1, [], [])));
        yield return new PickleBytes().Protocol().Global("collections", "OrderedDict").Op('q', 1).Ops(")R(")
            .Text("a").Tensor("FloatStorage", "0", 24, 0, [1, 4, 6], [0, 1, 4]).Op('q', 2)
            .Text("b").Op('h', 2).Text("state").Op(']').Op('(').Int(3).Tensor("LongStorage", "1", 2, 0, [2], [1]).Ops("\x88Ne")
            .Text("param_groups").Op(')').Op('u').Ops("}").Text("_metadata").Ops("Nsb.").ToArray();
        yield return new PickleBytes().Protocol(4).Ops("}\x94(").Text("t").Op('\x94').Tensor("FloatStorage", "0", 24, 3, [3, 5], [7, 1])
            .Tensor("LongStorage", "1", 2, 0, [1], [1]).Ops("\x86")
            .Text("array").Global("numpy.core.numeric", "_frombuffer").Op('(').Sized('B', s_bytes.AsSpan(0, 24))
            .Global("numpy", "dtype").Op('(').Text("f4").Ops("\x89\x88tR").Ints(2, 3).Text("F").Ops("tR")
            .Text("arguments").Global("argparse", "Namespace").Ops(")\x81}").Text("p").Floats("0", 24).Ops("sb")
            .Text("set").Ops("\x8F(NN\x90").Text("bytes").Global("_codecs", "encode").Op('(').Text("é").Text("latin1").Ops("tRu.").ToArray();
    }
}
