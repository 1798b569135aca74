using System.Text;
using Condense.Models.Formats.Safetensors;
using Condense.Models.Tests.Formats.Safetensors;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>Safetensors files with broken headers.</summary>
internal sealed class SafetensorsFuzz : FuzzFormat
{
    private static readonly string[] s_numbers =
        ["0", "1", "-1", "7", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615", "99999999999999999999", "1e9", "0.5", "null"];

    private readonly byte[][] _seeds = [.. Seeds()];

    public override string Name => "safetensors";

    public override byte[] Make(Random random) => Mutate(_seeds, random);

    public override void Read(string path)
    {
        using var model = SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default);
        ReadTensors(model);
    }

    /// <summary>Files that are right.</summary>
    internal static IEnumerable<byte[]> Seeds()
    {
        yield return SafetensorsBytes.Of(
            """{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b.weight":{"dtype":"F4","shape":[4],"data_offsets":[24,26]},"空":{"dtype":"U8","shape":[],"data_offsets":[26,27]}}""",
            new byte[27]);
        yield return SafetensorsBytes.Of("""{"__metadata__":{"format":"pt","note":"a \"quoted\" näme 😀 \u20ac"},"x":{"shape":[0,5],"dtype":"BF16","data_offsets":[0,0]}}   """);
        yield return SafetensorsBytes.Of(
            "{" + string.Join(',', Enumerable.Range(0, 40).Select(i => $$$"""  "layer.{{{i}}}":{"dtype":"I16","shape":[{{{i}}}],"data_offsets":[{{{i * (i - 1)}}},{{{i * (i + 1)}}}]}""")) + "}",
            new byte[39 * 40]);
    }

    /// <summary>A file with one to three mutations.</summary>
    internal static byte[] Mutate(byte[][] seeds, Random random)
    {
        byte[] bytes = seeds[random.Next(seeds.Length)];
        for (int step = random.Next(1, 4); step > 0; step--)
        {
            bytes = random.Next(7) switch
            {
                0 => ByteMutations.FlipBits(bytes, random),
                1 => bytes[..random.Next(bytes.Length + 1)],
                2 => ByteMutations.Splice(bytes, seeds[random.Next(seeds.Length)], random),
                3 => EditNumber(bytes, random),
                4 => ChangeLength(bytes, random),
                5 => Overwrite(bytes, random),
                _ => [.. bytes, .. new byte[random.Next(1, 9)]],
            };
        }

        return bytes;
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
