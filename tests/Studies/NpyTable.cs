using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Condense.Engine.Matrices;

namespace Condense.Studies;

/// <summary>A table of little-endian f32 in a NumPy file of version 1, in C order.</summary>
internal static partial class NpyTable
{
    /// <summary>Reads a table.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is another kind of file.</exception>
    public static Matrix Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (!bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8, 1, 0]))
        {
            throw new InvalidDataException($"{path} is no NumPy file of version 1.0.");
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        string header = Encoding.ASCII.GetString(bytes, 10, length);
        if (!header.Contains("'<f4'", StringComparison.Ordinal) || !header.Contains("'fortran_order': False", StringComparison.Ordinal) || Shape().Match(header) is not { Success: true } shape)
        {
            throw new InvalidDataException($"{path} is no table of f32 in C order: {header}");
        }

        int rows = int.Parse(shape.Groups["rows"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        int columns = int.Parse(shape.Groups["columns"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        return new Matrix(rows, columns, MemoryMarshal.Cast<byte, float>(bytes.AsSpan(10 + length)).ToArray());
    }

    [GeneratedRegex(@"'shape': \((?<rows>\d+), (?<columns>\d+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Shape();
}
