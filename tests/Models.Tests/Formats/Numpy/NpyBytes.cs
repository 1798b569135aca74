using System.Text;

namespace Condense.Models.Tests.Formats.Numpy;

/// <summary>Puts NPY files together.</summary>
internal static class NpyBytes
{
    public const string Header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

    /// <summary>A file of a header and data.</summary>
    /// <param name="header">The header's text; nothing is added to it.</param>
    /// <param name="data">What follows.</param>
    /// <param name="major">The version.</param>
    /// <param name="minor">Its second part.</param>
    /// <param name="length">The length that the file gives, when it is not the header's.</param>
    public static byte[] Of(string header, ReadOnlySpan<byte> data, int major = 1, int minor = 0, uint? length = null)
    {
        byte[] text = Encoding.Latin1.GetBytes(header);
        byte[] count = BitConverter.GetBytes(length ?? (uint)text.Length);
        return [0x93, .. "NUMPY"u8, (byte)major, (byte)minor, .. count[..(major == 1 ? 2 : 4)], .. text, .. data];
    }
}
