using Condense.Models.Formats.Onnx;
using Condense.Models.Tests.Formats.Onnx;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>ONNX files with broken protocol buffers.</summary>
internal sealed class OnnxFuzz : FuzzFormat
{
    private readonly byte[][] _seeds =
    [
        OnnxSamples.RichModel().ToArray(),
        ModelOf(GraphOf(Node("Constant", [], ["c"], "", TensorAttribute("value", FloatTensor("", 3, 5))))).ToArray(),
        ModelOf(GraphOf().Message(5, ExternalTensor("w", 2, 2, ("location", "part"), ("offset", "4"), ("length", "16")))
            .Message(5, TensorHeader("n", I64, 40).PackedInts(7, [.. Enumerable.Range(0, 40).Select(i => 1L << i)]))).ToArray(),
    ];

    public override string Name => "onnx";

    public override void Prepare(string folder) => File.WriteAllBytes(Path.Combine(folder, "part"), new byte[64]);

    public override byte[] Make(Random random) => Mutate(_seeds[random.Next(_seeds.Length)], _seeds[random.Next(_seeds.Length)], random);

    public override void Read(string path)
    {
        var others = new Dictionary<string, string>(StringComparer.Ordinal) { ["part"] = Path.Combine(Path.GetDirectoryName(path)!, "part") };
        using var model = OnnxReader.Read(new ModelParts(path, others), ReadLimits.Default);
        ReadTensors(model);
        OnnxWriter.Measure(model);
    }

    private static byte[] Mutate(byte[] seed, byte[] other, Random random)
    {
        var bytes = seed.ToList();
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, random.Next(1, Math.Min(16, bytes.Count - at) + 1));
                    break;
                case 3:
                    int from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, random.Next(1, Math.Min(64, other.Length - from) + 1)).ToArray());
                    break;
                case 4:
                    bytes.InsertRange(at, new ProtoMessage().Varint((ulong)random.NextInt64()).ToArray());
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }

            if (bytes.Count == 0)
            {
                bytes.Add((byte)random.Next(256));
            }
        }

        return [.. bytes];
    }
}
