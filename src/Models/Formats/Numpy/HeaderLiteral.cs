using System.Text;

namespace Condense.Models.Formats.Numpy;

/// <summary>
/// The tokens of an NPY header: the few of Python's literals that NumPy writes there, which are strings without escapes, <c>True</c>, <c>False</c>, numbers
/// and punctuation. Nothing is evaluated.
/// </summary>
/// <param name="text">The header's text.</param>
/// <param name="offset">Where it begins in the file, for messages.</param>
internal ref struct HeaderLiteral(ReadOnlySpan<byte> text, long offset)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private int _at;

    /// <summary>The place of the next token in the file.</summary>
    public readonly long Position => offset + _at;

    /// <summary>Whether nothing but white space is left.</summary>
    public bool AtEnd
    {
        get
        {
            SkipSpace();
            return _at == _text.Length;
        }
    }

    /// <summary>Whether the next character is this one.</summary>
    /// <param name="character">A punctuation mark.</param>
    public bool Sees(char character)
    {
        SkipSpace();
        return _at < _text.Length && _text[_at] == character;
    }

    /// <summary>Takes a punctuation mark if it is next.</summary>
    /// <param name="character">The mark.</param>
    /// <returns>Whether it was.</returns>
    public bool TryTake(char character)
    {
        bool sees = Sees(character);
        _at += sees ? 1 : 0;
        return sees;
    }

    /// <summary>Takes a punctuation mark that must be next.</summary>
    /// <param name="character">The mark.</param>
    /// <exception cref="ModelFormatException">Something else is.</exception>
    public void Take(char character)
    {
        if (!TryTake(character))
        {
            throw Refuse($"'{character}' is missing");
        }
    }

    /// <summary>Takes a string.</summary>
    /// <exception cref="ModelFormatException">Something else is next, or the string has an escape or no end.</exception>
    public string TakeString()
    {
        char quote = Sees('"') ? '"' : '\'';
        Take(quote);
        int length = _text[_at..].IndexOf((byte)quote);
        if (length < 0 || _text.Slice(_at, length).ContainsAnyExceptInRange((byte)' ', (byte)'~') || _text.Slice(_at, length).Contains((byte)'\\'))
        {
            throw Refuse("a string has no end, or characters that are not read");
        }

        string value = Encoding.ASCII.GetString(_text.Slice(_at, length));
        _at += length + 1;
        return value;
    }

    /// <summary>Takes <c>True</c> or <c>False</c>.</summary>
    /// <exception cref="ModelFormatException">Something else is next.</exception>
    public bool TakeBoolean()
    {
        SkipSpace();
        bool value = _text[_at..].StartsWith("True"u8);
        if (!value && !_text[_at..].StartsWith("False"u8))
        {
            throw Refuse("True or False is missing");
        }

        _at += value ? 4 : 5;
        return value;
    }

    /// <summary>Takes a number ≥ 0, with the L behind it that Python 2 wrote.</summary>
    /// <exception cref="ModelFormatException">Something else is next, or the number passes 2⁶³−1.</exception>
    public long TakeNumber()
    {
        SkipSpace();
        int start = _at;
        UInt128 value = 0;
        while (_at < _text.Length && _text[_at] is >= (byte)'0' and <= (byte)'9')
        {
            value = (value * 10) + (UInt128)(_text[_at++] - '0');
            if (value > long.MaxValue)
            {
                throw new ModelFormatException(
                    ModelFormatError.ValidationOverflow, $"The NPY header at byte {offset} has a dimension beyond 2⁶³−1.", Position);
            }
        }

        if (_at == start || (_text[start] == '0' && _at > start + 1))
        {
            throw Refuse("a dimension is no whole number ≥ 0");
        }

        _at += _at < _text.Length && _text[_at] == 'L' ? 1 : 0;
        return (long)value;
    }

    /// <summary>Refuses the header at the next token.</summary>
    /// <param name="why">What is wrong.</param>
    public readonly ModelFormatException Refuse(string why) => new(
        ModelFormatError.InvalidHeader,
        $"The NPY header at byte {offset} is not the dictionary that NumPy writes: {why} (byte {Position}). Save the array anew with numpy.save.",
        Position);

    private void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            _at++;
        }
    }
}
