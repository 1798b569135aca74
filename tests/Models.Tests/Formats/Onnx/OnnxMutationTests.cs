using Condense.Models.Formats.Onnx;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class OnnxMutationTests : IDisposable
{
    private const int Rounds = 10_000;

    // Small files: whatever they declare, reading them takes a buffer and a few objects a byte.
    private const long MaxAllocated = 2 << 20;

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Mutated_files_are_read_or_refused_within_bounds()
    {
        byte[][] seeds =
        [
            OnnxRoundTripTests.RichModel().ToArray(),
            ModelOf(GraphOf(Node("Constant", [], ["c"], "", TensorAttribute("value", FloatTensor("", 3, 5))))).ToArray(),
            ModelOf(GraphOf().Message(5, ExternalTensor("w", 2, 2, ("location", "part"), ("offset", "4"), ("length", "16")))
                .Message(5, TensorHeader("n", I64, 40).PackedInts(7, [.. Enumerable.Range(0, 40).Select(i => 1L << i)]))).ToArray(),
        ];
        _folder.Write("part", new byte[64]);
        string path = _folder.PathOf("model.onnx");
        var parts = new ModelParts(path, new Dictionary<string, string>(StringComparer.Ordinal) { ["part"] = _folder.PathOf("part") });
        var random = new Random(20_261);
        int read = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] mutated = Mutate(seeds[round % seeds.Length], seeds[random.Next(seeds.Length)], random);
            File.WriteAllBytes(path, mutated);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var model = OnnxReader.Read(parts, ReadLimits.Default);
                ReadAll(model);
                read++;
            }
            catch (ModelFormatException error)
            {
                Assert.True(error.Offset is null || (error.Offset >= 0 && error.Offset <= mutated.Length), $"round {round}: offset {error.Offset}");
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Round {round} failed on {Convert.ToHexString(mutated)}", error);
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MaxAllocated, $"round {round} allocated {allocated} bytes for {Convert.ToHexString(mutated)}");
        }

        // Both ways are walked: a mutation in a name or a number does no harm.
        Assert.InRange(read, Rounds / 100, Rounds - (Rounds / 10));
    }

    private static void ReadAll(Model model)
    {
        byte[] buffer = new byte[256];
        foreach (var data in model.Tensors.Select(tensor => tensor.Data))
        {
            for (long offset = 0; offset < data.ByteLength; offset += buffer.Length)
            {
                data.Read(offset, buffer.AsSpan(0, (int)Math.Min(buffer.Length, data.ByteLength - offset)));
            }
        }

        Assert.True(OnnxWriter.Measure(model) > 0);
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
