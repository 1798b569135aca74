using System.Globalization;
using System.Text;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The escapes of protocol 0's texts.</summary>
internal static class PickleEscapes
{
    /// <summary>Reads what Python prints between the quotes of a string of bytes: <c>\\ \' \" \n \r \t \a \b \f \v \xNN \NNN</c>.</summary>
    /// <param name="text">The text between the quotes.</param>
    /// <param name="bytes">The bytes.</param>
    /// <returns>False for an escape that is broken.</returns>
    public static bool TryUnescape(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        byte[] result = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                result[length++] = text[i];
                continue;
            }

            if (++i == text.Length || !TryEscape(text, ref i, out result[length]))
            {
                bytes = [];
                return false;
            }

            length++;
        }

        bytes = result[..length];
        return true;
    }

    /// <summary>Reads "raw unicode escape": Latin-1, with <c>\uNNNN</c> and <c>\UNNNNNNNN</c>.</summary>
    /// <param name="line">The line.</param>
    /// <param name="text">The text.</param>
    /// <returns>False for an escape that is broken.</returns>
    public static bool TryUnescapeUnicode(ReadOnlySpan<byte> line, out string text)
    {
        var result = new StringBuilder(line.Length);
        text = "";
        for (int i = 0; i < line.Length; i++)
        {
            int digits = line[i] != '\\' || i + 1 == line.Length ? 0 : line[i + 1] == 'u' ? 4 : line[i + 1] == 'U' ? 8 : 0;
            if (digits == 0)
            {
                result.Append((char)line[i]);
                continue;
            }

            if (i + 2 + digits > line.Length
                || !uint.TryParse(line.Slice(i + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code)
                || !Rune.TryCreate(code, out var rune))
            {
                return false;
            }

            result.Append(rune.ToString());
            i += 1 + digits;
        }

        text = result.ToString();
        return true;
    }

    // At the character behind the backslash; leaves the index at the escape's last one.
    private static bool TryEscape(ReadOnlySpan<byte> text, ref int index, out byte value)
    {
        byte letter = text[index];
        int simple = "\\'\"nrtabfv"u8.IndexOf(letter);
        if (simple >= 0)
        {
            value = "\\'\"\n\r\t\a\b\f\v"u8[simple];
            return true;
        }

        if (letter == 'x')
        {
            index += 2;
            value = 0;
            return index < text.Length && byte.TryParse(text.Slice(index - 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        }

        int code = 0;
        int last = index + 2;
        for (int i = index; i <= last && i < text.Length && text[i] is >= (byte)'0' and <= (byte)'7'; i++)
        {
            code = (code << 3) | (text[i] - '0');
            index = i;
        }

        value = unchecked((byte)code);
        return letter is >= (byte)'0' and <= (byte)'7' && code <= byte.MaxValue;
    }
}
