using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Text;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The instructions of a pickle that put one plain value on the stack: numbers, text, bytes.</summary>
/// <param name="source">The pickle's bytes.</param>
internal sealed class PickleLiterals(PickleSource source)
{
    // Digits, or bytes, of an integer. PyTorch's magic number has ten bytes; longer ones only cost time.
    private const int MaxIntegerLength = 1024;

    private PickleOpcode _opcode;
    private long _offset;

    /// <summary>Reads the value behind an instruction, if it is one of these.</summary>
    /// <param name="opcode">The instruction, already read.</param>
    /// <param name="offset">Where it stands in the file.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ModelFormatException">The value is broken, cut or too long.</exception>
    public bool TryRead(PickleOpcode opcode, long offset, out object? value)
    {
        _opcode = opcode;
        _offset = offset;
        switch (opcode)
        {
            case PickleOpcode.None:
                value = null;
                return true;
            case PickleOpcode.NewTrue or PickleOpcode.NewFalse:
                value = opcode == PickleOpcode.NewTrue;
                return true;
            case PickleOpcode.BinFloat:
                value = source.ReadDouble();
                return true;
            case PickleOpcode.Float:
                value = ReadFloatLine();
                return true;
            default:
                return TryReadInteger(out value) || TryReadText(out value) || TryReadBytes(out value);
        }
    }

    private bool TryReadInteger(out object? value)
    {
        value = _opcode switch
        {
            PickleOpcode.BinInt1 => (long)source.ReadByte(),
            PickleOpcode.BinInt2 => (long)source.ReadUInt16(),
            PickleOpcode.BinInt => (long)source.ReadInt32(),
            PickleOpcode.Long1 => ReadInteger(source.ReadByte()),
            PickleOpcode.Long4 => ReadInteger(source.ReadInt32()),
            PickleOpcode.Int => ReadIntegerLine(),
            PickleOpcode.Long => ReadIntegerLine(),
            _ => null,
        };
        return value is not null;
    }

    private bool TryReadText(out object? value)
    {
        value = _opcode switch
        {
            PickleOpcode.ShortBinUnicode => source.ReadText(source.ReadByte()),
            PickleOpcode.BinUnicode => source.ReadText(source.ReadUInt32()),
            PickleOpcode.BinUnicode8 => source.ReadText(source.ReadInt64()),
            PickleOpcode.Unicode => ReadUnicodeLine(),
            PickleOpcode.ShortBinString => ReadOldText(source.ReadByte()),
            PickleOpcode.BinString => ReadOldText(source.ReadInt32()),
            PickleOpcode.String => ReadQuotedLine(),
            _ => null,
        };
        return value is not null;
    }

    // Bytes stay where they are until somebody asks for them.
    private bool TryReadBytes(out object? value)
    {
        long? length = _opcode switch
        {
            PickleOpcode.ShortBinBytes => source.ReadByte(),
            PickleOpcode.BinBytes => source.ReadUInt32(),
            PickleOpcode.BinBytes8 or PickleOpcode.ByteArray8 => source.ReadInt64(),
            _ => null,
        };
        value = length is null ? null : source.TakeBytes(length.Value);
        return value is not null;
    }

    private object ReadInteger(int length)
    {
        if (length is < 0 or > MaxIntegerLength)
        {
            throw TooLong(length);
        }

        return Narrow(new BigInteger(source.ReadBytes(length)));
    }

    // INT has the truth values too: 00 and 01. LONG ends in L.
    private object ReadIntegerLine()
    {
        var line = source.ReadLine();
        if (_opcode == PickleOpcode.Int && line.Length == 2 && line[0] == '0' && line[1] is (byte)'0' or (byte)'1')
        {
            return line[1] == '1';
        }

        if (line.Length > MaxIntegerLength)
        {
            throw TooLong(line.Length);
        }

        if (_opcode == PickleOpcode.Long && line.EndsWith("L"u8))
        {
            line = line[..^1];
        }

        return BigInteger.TryParse(Encoding.Latin1.GetString(line), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? Narrow(value)
            : throw PickleRefusals.Invalid(_opcode, "has no integer", _offset);
    }

    private static object Narrow(BigInteger value)
    {
        if (value < long.MinValue || value > long.MaxValue)
        {
            return value;
        }

        long narrow = (long)value;
        return narrow;
    }

    private double ReadFloatLine()
    {
        var line = source.ReadLine();
        return line.Length <= MaxIntegerLength && Utf8Parser.TryParse(line, out double value, out int read) && read == line.Length ? value
            : line.SequenceEqual("nan"u8) ? double.NaN
            : line.SequenceEqual("inf"u8) ? double.PositiveInfinity
            : line.SequenceEqual("-inf"u8) ? double.NegativeInfinity
            : throw PickleRefusals.Invalid(_opcode, "has no number", _offset);
    }

    // Python 2 wrote names as strings of bytes. What is no UTF-8 text stays bytes.
    private object ReadOldText(int length)
    {
        if (length < 0)
        {
            throw PickleRefusals.Invalid(_opcode, $"has a text of {length} bytes", _offset);
        }

        byte[] bytes = source.ReadBytes(length);
        source.Budget.Keep(2L * length, _offset);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : new MemoryTensorData(bytes);
    }

    private object ReadQuotedLine()
    {
        var line = source.ReadLine();
        source.Budget.Keep(3L * line.Length, _offset);
        if (line.Length < 2 || line[0] != line[^1] || line[0] is not ((byte)'\'' or (byte)'"') || !PickleEscapes.TryUnescape(line[1..^1], out byte[] bytes))
        {
            throw PickleRefusals.Invalid(_opcode, "has no quoted text", _offset);
        }

        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : new MemoryTensorData(bytes);
    }

    private string ReadUnicodeLine()
    {
        var line = source.ReadLine();
        source.Budget.Keep(2L * line.Length, _offset);
        return PickleEscapes.TryUnescapeUnicode(line, out string text) ? text : throw PickleRefusals.Invalid(_opcode, "has a broken escape in its text", _offset);
    }

    private ModelFormatException TooLong(int length) => new(
        ModelFormatError.LimitExceeded, $"The pickle has an integer of {length} digits or bytes at byte {_offset}; at most {MaxIntegerLength} are read.", _offset);
}
