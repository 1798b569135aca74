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

    // A name that is no Unicode text has no bytes.
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a name. O(bytes).</summary>
    /// <param name="bytes">The name in the header.</param>
    /// <param name="flags">The header's general purpose bits.</param>
    /// <param name="offset">Where the header stands.</param>
    /// <exception cref="ModelFormatException">The name is empty, of no known encoding, or a way out of a folder.</exception>
    public static string Read(ReadOnlySpan<byte> bytes, int flags, long offset)
    {
        // Without the flag, characters beyond ASCII mean what the reader's code page says, and readers differ.
        string? fault = !Utf8.IsValid(bytes) || ((flags & Utf8Flag) == 0 && bytes.ContainsAnyExceptInRange((byte)0, (byte)0x7F))
            ? "is not declared as UTF-8, or isn't UTF-8, and so reads differently from tool to tool"
            : Fault(bytes);
        return fault is null
            ? Encoding.UTF8.GetString(bytes)
            : throw new ModelFormatException(
                ModelFormatError.InvalidArchive,
                $"The zip archive has an entry whose name {fault} (header at byte {offset}). Save the model anew with the tool that made it.",
                offset);
    }

    /// <summary>Whether an entry may be written under a name: <see cref="Read"/> takes it again. O(characters).</summary>
    /// <param name="name">The name.</param>
    public static bool IsPlain(string name)
    {
        try
        {
            byte[] bytes = s_strict.GetBytes(name);
            return bytes.Length <= ushort.MaxValue && Fault(bytes) is null;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    private static string? Fault(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return "is empty";
        }

        if (name.ContainsAny((byte)0, (byte)'\\'))
        {
            return "holds a NUL or a backslash";
        }

        var path = name.EndsWith("/"u8) ? name[..^1] : name;
        foreach (var range in path.Split((byte)'/'))
        {
            var segment = path[range];
            if (segment.IsEmpty || segment.SequenceEqual("."u8) || segment.SequenceEqual(".."u8))
            {
                return "is absolute or has an empty segment, '.' or '..'";
            }
        }

        return null;
    }
}
