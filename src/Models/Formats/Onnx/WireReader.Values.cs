using System.Buffers.Binary;
using System.Text;

namespace Condense.Models.Formats.Onnx;

// What fields hold: numbers, lists of them, names, texts.
internal sealed partial class WireReader
{
    // A number in a list, and the room that a growing list keeps free.
    private const int ListItemBytes = 16;

    // The two references of a name with its value, likewise.
    private const int EntryBytes = 64;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads an integer of the last field.</summary>
    internal long ReadInt64()
    {
        Expect(WireType.Varint);
        return unchecked((long)ReadVarint());
    }

    /// <summary>Reads a number of the last field.</summary>
    internal float ReadSingle()
    {
        Expect(WireType.Fixed32);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)));
    }

    /// <summary>Adds the last field's integers, packed or not, to a list.</summary>
    internal void ReadInt64s(List<long> values)
    {
        if (Type == WireType.Varint)
        {
            _budget.Keep(ListItemBytes, _tagStart);
            values.Add(ReadInt64());
            return;
        }

        long outer = EnterPacked();
        while (Position < End)
        {
            _budget.Keep(ListItemBytes, Position);
            values.Add(unchecked((long)ReadVarint()));
        }

        LeavePacked(outer);
    }

    /// <summary>Adds the last field's numbers, packed or not, to a list.</summary>
    internal void ReadSingles(List<float> values)
    {
        if (Type == WireType.Fixed32)
        {
            _budget.Keep(ListItemBytes, _tagStart);
            values.Add(ReadSingle());
            return;
        }

        long outer = EnterPacked();
        while (Position < End)
        {
            _budget.Keep(ListItemBytes, Position);
            values.Add(BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float))));
        }

        LeavePacked(outer);
    }

    /// <summary>Reads a name and its value (StringStringEntryProto).</summary>
    internal KeyValuePair<string, string> ReadEntry()
    {
        string key = "";
        string value = "";
        _budget.Keep(EntryBytes, _tagStart);
        long outer = Enter();
        while (TryReadTag())
        {
            switch (Field)
            {
                case EntryField.Key:
                    key = ReadName();
                    break;
                case EntryField.Value:
                    value = ReadText();
                    break;
                default:
                    Skip();
                    break;
            }
        }

        Leave(outer);
        return new(key, value);
    }

    /// <summary>Reads a name: UTF-8 within <see cref="ReadLimits.NameBytes"/>.</summary>
    internal string ReadName()
    {
        var range = ReadRange();
        if (range.Length > _budget.Limits.NameBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"A name of {range.Length} bytes passes the limit of {_budget.Limits.NameBytes}.",
                range.Start);
        }

        return DecodeText(range);
    }

    /// <summary>Reads text for people, as long as the budget allows.</summary>
    internal string ReadText() => DecodeText(ReadRange());

    private string DecodeText(FileRange range)
    {
        // A char of a string takes two bytes; UTF-8 never has fewer bytes than chars.
        _budget.Keep(2 * range.Length, range.Start);
        int length = (int)CheckArrayLength(range);
        try
        {
            if (length <= _buffer.Length)
            {
                return s_utf8.GetString(Buffered(range.Start, length));
            }

            byte[] bytes = new byte[length];
            _source.Read(range.Start, bytes);
            return s_utf8.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidEncoding, $"The text of field {Field} is not valid UTF-8.", range.Start, innerException: error);
        }
    }
}
