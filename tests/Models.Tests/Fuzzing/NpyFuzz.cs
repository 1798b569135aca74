using System.Text;
using Condense.Models.Tests.Formats.Numpy;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>NPY files with broken headers.</summary>
internal sealed class NpyFuzz : FuzzFormat
{
    private static readonly string[] s_words =
    [
        "0", "1", "3", "-1", "4294967296", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "True", "False", "None", "'<f4'", "'>f8'",
        "'|O'", "'|b1'", "'<c16'", "'<U9'", "[('a', '<f4')]", "()", "(3,)", "(2, 3)", "(0, 7)", "((1,),)", "'descr'", "'shape'", "'fortran_order'", "{", "}", ",", "L",
    ];

    private readonly byte[][] _seeds = [.. Seeds()];

    public override string Name => "npy";

    public override byte[] Make(Random random) => Mutate(_seeds, random);

    public override void Read(string path)
    {
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        ReadTensors(model);
    }

    /// <summary>Files that are right.</summary>
    internal static IEnumerable<byte[]> Seeds()
    {
        yield return NpyBytes.Of(NpyBytes.Header.PadRight(117) + "\n", new byte[24]);
        yield return NpyBytes.Of("{'descr': '>f8', 'fortran_order': True, 'shape': (3, 4, 2), }\n", new byte[192], 2);
        yield return NpyBytes.Of("{'descr': '<c8', 'fortran_order': True, 'shape': (5, 7), }\n", new byte[280]);
        yield return NpyBytes.Of("{'descr': '|b1', 'fortran_order': False, 'shape': (), }\n", new byte[1], 3);
        yield return NpyBytes.Of("{'descr': '<i2', 'fortran_order': False, 'shape': (0, 9), }\n", []);
    }

    /// <summary>A file with one to three mutations.</summary>
    internal static byte[] Mutate(byte[][] seeds, Random random)
    {
        byte[] bytes = seeds[random.Next(seeds.Length)];
        for (int step = random.Next(1, 4); step > 0; step--)
        {
            bytes = random.Next(3) == 0 ? ByteMutations.Any(bytes, seeds[random.Next(seeds.Length)], random) : EditWord(bytes, random);
        }

        return bytes;
    }

    // Replaces a word of the header, and mostly makes the length in front agree again.
    private static byte[] EditWord(byte[] bytes, Random random)
    {
        int start = bytes.Length > 4 && bytes.Length > 8 && bytes[6] > 1 ? 12 : 10;
        int end = bytes.AsSpan().IndexOf((byte)'}') + 1;
        if (end <= start)
        {
            return bytes;
        }

        int from = random.Next(start, end);
        while (from > start && IsWord(bytes[from]) && IsWord(bytes[from - 1]))
        {
            from--;
        }

        int to = from + 1;
        while (to < end && IsWord(bytes[from]) && IsWord(bytes[to]))
        {
            to++;
        }

        byte[] word = Encoding.ASCII.GetBytes(s_words[random.Next(s_words.Length)]);
        byte[] result = [.. bytes[..from], .. word, .. bytes[to..]];
        if (random.Next(4) != 0)
        {
            ushort length = unchecked((ushort)(BitConverter.ToUInt16(bytes, 8) + word.Length - (to - from)));
            BitConverter.GetBytes(length).CopyTo(result, 8);
        }

        return result;
    }

    private static bool IsWord(byte value) => char.IsAsciiLetterOrDigit((char)value) || value is (byte)'\'' or (byte)'_' or (byte)'<' or (byte)'>' or (byte)'|';
}
