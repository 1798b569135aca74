using System.Text;
using Condense.Models.Formats.Safetensors;
using Xunit;

namespace Condense.Models.Tests.Formats.Safetensors;

/// <summary>Ten thousand broken files: each is read or refused with its cause, in bounded memory; nothing else may happen.</summary>
public sealed class SafetensorsMutationTests
{
    private const int Inputs = 10_000;
    private const long MaxAllocation = 4 << 20;

    private static readonly string[] s_numbers =
        ["0", "1", "-1", "7", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "99999999999999999999", "1e9", "0.5", "null"];

    [Fact]
    public void Mutated_files_are_read_or_refused_in_bounded_memory()
    {
        using var folder = new TemporaryFolder();
        byte[][] seeds = [.. Seeds()];
        var random = new Random(20);
        byte[] buffer = new byte[64];
        int read = 0;
        int refused = 0;
        string path = folder.PathOf("model");
        for (int input = 0; input < Inputs; input++)
        {
            byte[] bytes = Mutate(seeds, random);
            File.WriteAllBytes(path, bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using var model = SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default);
                foreach (var tensor in model.Tensors)
                {
                    tensor.Data.Read(0, buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Data.ByteLength)));
                }

                Assert.True(model.Tensors.Sum(tensor => tensor.Data.ByteLength) < bytes.Length, $"Input {input} has more data than bytes.");
                read++;
            }
            catch (ModelFormatException refusal)
            {
                Assert.False(string.IsNullOrEmpty(refusal.Message));
                refused++;
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MaxAllocation, $"Input {input} took {allocated} bytes.");
        }

        // Both outcomes must be common, or the mutations test nothing.
        Assert.InRange(read, Inputs / 50, Inputs);
        Assert.InRange(refused, Inputs / 4, Inputs);
    }

    [Fact]
    public void Mutated_indices_and_detection_read_or_refuse_too()
    {
        using var folder = new TemporaryFolder();
        byte[] shard = Seeds().First();
        string shardPath = folder.Write("shard", shard);
        byte[] index = Encoding.UTF8.GetBytes("""{"metadata":{"total_size":30},"weight_map":{"a":"shard","b.weight":"shard","空":"shard"}}""");
        var random = new Random(21);
        string path = folder.PathOf("index");
        int read = 0;
        for (int input = 0; input < 2_000; input++)
        {
            File.WriteAllBytes(path, Mutate([index, shard], random));
            try
            {
                using var model = ModelReader.Open(
                    new ModelParts(path, new Dictionary<string, string>(StringComparer.Ordinal) { ["shard"] = shardPath }), ReadLimits.Default);
                read++;
            }
            catch (ModelFormatException refusal)
            {
                Assert.False(string.IsNullOrEmpty(refusal.Message));
            }
        }

        Assert.InRange(read, 20, 1_900);
    }

    private static IEnumerable<byte[]> Seeds()
    {
        yield return SafetensorsBytes.Of(
            """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b.weight":{"dtype":"F4","shape":[4],"data_offsets":[24,26]},"空":{"dtype":"U8","shape":[],"data_offsets":[26,27]}}""",
            new byte[27]);
        yield return SafetensorsBytes.Of("""{"__metadata__":{"format":"pt","note":"a \"quoted\" näme 😀 \u20ac"},"x":{"shape":[0,5],"dtype":"BF16","data_offsets":[0,0]}}   """);
        yield return SafetensorsBytes.Of(
            "{" + string.Join(',', Enumerable.Range(0, 40).Select(i => $$$"""  "layer.{{{i}}}":{"dtype":"I16","shape":[{{{i}}}],"data_offsets":[{{{i * (i - 1)}}},{{{i * (i + 1)}}}]}""")) + "}",
            new byte[39 * 40]);
    }

    private static byte[] Mutate(byte[][] seeds, Random random)
    {
        byte[] bytes = seeds[random.Next(seeds.Length)];
        for (int step = random.Next(1, 4); step > 0; step--)
        {
            bytes = random.Next(7) switch
            {
                0 => FlipBits(bytes, random),
                1 => bytes[..random.Next(bytes.Length + 1)],
                2 => Splice(bytes, seeds[random.Next(seeds.Length)], random),
                3 => EditNumber(bytes, random),
                4 => ChangeLength(bytes, random),
                5 => Overwrite(bytes, random),
                _ => [.. bytes, .. new byte[random.Next(1, 9)]],
            };
        }

        return bytes;
    }

    private static byte[] FlipBits(byte[] bytes, Random random)
    {
        byte[] result = [.. bytes];
        for (int i = random.Next(1, 4); i > 0 && result.Length > 0; i--)
        {
            result[random.Next(result.Length)] ^= (byte)(1 << random.Next(8));
        }

        return result;
    }

    private static byte[] Splice(byte[] bytes, byte[] other, Random random)
    {
        int start = random.Next(other.Length);
        return [.. bytes[..random.Next(bytes.Length + 1)], .. other[start..random.Next(start, other.Length)], .. bytes[random.Next(bytes.Length + 1)..]];
    }

    // Replaces a run of digits, and with an even chance makes the length in front agree again, so that the mutation reaches the checks behind it.
    private static byte[] EditNumber(byte[] bytes, Random random)
    {
        int start = Array.FindIndex(bytes, Math.Min(bytes.Length, random.Next(8, Math.Max(9, bytes.Length))), value => value is >= (byte)'0' and <= (byte)'9');
        if (start < 0)
        {
            return bytes;
        }

        int end = start;
        while (end < bytes.Length && bytes[end] is >= (byte)'0' and <= (byte)'9')
        {
            end++;
        }

        byte[] number = Encoding.ASCII.GetBytes(s_numbers[random.Next(s_numbers.Length)]);
        byte[] result = [.. bytes[..start], .. number, .. bytes[end..]];
        if (random.Next(2) == 0)
        {
            BitConverter.GetBytes(BitConverter.ToInt64(bytes) + number.Length - (end - start)).CopyTo(result, 0);
        }

        return result;
    }

    private static byte[] ChangeLength(byte[] bytes, Random random)
    {
        byte[] result = [.. bytes];
        if (result.Length >= 8)
        {
            long length = random.Next(4) switch { 0 => random.NextInt64(), 1 => 100_000_000, 2 => result.Length - 8, _ => BitConverter.ToInt64(result) + random.Next(-3, 4) };
            BitConverter.GetBytes(length).CopyTo(result, 0);
        }

        return result;
    }

    private static byte[] Overwrite(byte[] bytes, Random random)
    {
        byte[] result = [.. bytes];
        ReadOnlySpan<byte> tokens = "{}[]\",:\\ \0"u8;
        if (result.Length > 8)
        {
            result[random.Next(8, result.Length)] = tokens[random.Next(tokens.Length)];
        }

        return result;
    }
}
