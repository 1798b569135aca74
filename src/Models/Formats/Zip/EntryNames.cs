using System.Text;
using System.Text.Unicode;

namespace Condense.Models.Formats.Zip;

/// <summary>
/// Names of entries. They are keys and nothing is ever unpacked under them; a name that some reader would take for another one, or for a place outside, is
/// refused all the same, for whoever wrote it meant to mislead.
/// </summary>
internal static class EntryNames
{
    /// <summary>The flag that says that a name is UTF-8 (APPNOTE 4.4.4, bit 11).</summary>
    public const int Utf8Flag = 0x800;

    /// <summary>Reads a name. O(bytes).</summary>
    /// <param name="bytes">The name in the header.</param>
    /// <param name="flags">The header's general purpose bits.</param>
    /// <param name="offset">Where the header stands.</param>
    /// <exception cref="ModelFormatException">The name is empty, of no known encoding, or a way out of a folder.</exception>
    public static string Read(ReadOnlySpan<byte> bytes, int flags, long offset)
    {
        if (bytes.IsEmpty)
        {
            throw Refuse("an entry without a name", offset);
        }

        // Without the flag, characters beyond ASCII mean what the reader's code page says, and readers differ.
        if (!Utf8.IsValid(bytes) || ((flags & Utf8Flag) == 0 && bytes.ContainsAnyExceptInRange((byte)0, (byte)0x7F)))
        {
            throw Refuse("an entry whose name is not declared as UTF-8, or isn't UTF-8, and so reads differently from tool to tool", offset);
        }

        if (bytes.ContainsAny((byte)0, (byte)'\\'))
        {
            throw Refuse("an entry whose name holds a NUL or a backslash", offset);
        }

        var path = bytes.EndsWith("/"u8) ? bytes[..^1] : bytes;
        foreach (var range in path.Split((byte)'/'))
        {
            var segment = path[range];
            if (segment.IsEmpty || segment.SequenceEqual("."u8) || segment.SequenceEqual(".."u8))
            {
                throw Refuse("an entry whose name is absolute or has an empty segment, '.' or '..'", offset);
            }
        }

        return Encoding.UTF8.GetString(bytes);
    }

    private static ModelFormatException Refuse(string what, long offset) => new(
        ModelFormatError.InvalidArchive, $"The zip archive has {what} (header at byte {offset}). Save the model anew with the tool that made it.", offset);
}
