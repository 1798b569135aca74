using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Safetensors;

/// <summary>
/// The JSON tokens of a range of a file, one after another through a small buffer: a header of any size costs no more memory than its longest token.
/// Strict JSON (no comments, no trailing commas, no byte-order mark), valid UTF-8.
/// </summary>
internal ref struct HeaderTokens
{
    private const int InitialBuffer = 1 << 16;
    private const int MaxDepth = 32;

    private readonly SafeFileHandle _file;
    private readonly long _end;
    private readonly int _nameBytes;
    private byte[] _buffer;
    private long _bufferOffset;
    private int _filled;
    private int _validated;
    private Utf8JsonReader _json;

    /// <summary>Begins before the first token.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="start">The first byte of the JSON text.</param>
    /// <param name="length">Its length; the file has these bytes.</param>
    /// <param name="nameBytes">The longest name that is accepted, in bytes.</param>
    public HeaderTokens(SafeFileHandle file, long start, long length, int nameBytes)
    {
        _file = file;
        _end = start + length;
        _nameBytes = nameBytes;
        _buffer = new byte[(int)Math.Min(InitialBuffer, length)];
        _bufferOffset = start;
        _json = new Utf8JsonReader([], isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = MaxDepth }));
    }

    /// <summary>The kind of the current token.</summary>
    public readonly JsonTokenType Type => _json.TokenType;

    /// <summary>The byte offset of the current token in the file.</summary>
    public readonly long Offset => _bufferOffset + _json.TokenStartIndex;

    /// <summary>The bytes of the current token in the file, without quotes.</summary>
    public readonly int TextBytes => _json.ValueSpan.Length;

    /// <summary>Steps to the next token.</summary>
    /// <returns>False after the end.</returns>
    /// <exception cref="ModelFormatException">The text is not UTF-8 or not JSON.</exception>
    public bool Read()
    {
        try
        {
            while (!_json.Read())
            {
                if (_json.IsFinalBlock)
                {
                    return false;
                }

                Refill();
            }

            return true;
        }
        catch (JsonException exception)
        {
            long offset = _bufferOffset + _json.BytesConsumed;
            throw new ModelFormatException(
                ModelFormatError.InvalidHeaderDeserialization,
                $"The header is not valid JSON near byte {offset}: {exception.Message}",
                offset,
                innerException: exception);
        }
    }

    /// <summary>Steps to the next token, which must be of a kind.</summary>
    /// <param name="type">The kind.</param>
    /// <param name="what">What it is, for the message.</param>
    /// <param name="tensor">The tensor that it belongs to, if any.</param>
    /// <exception cref="ModelFormatException">It is another kind, or the text is broken.</exception>
    public void Expect(JsonTokenType type, string what, string? tensor = null)
    {
        Read();
        Require(type, what, tensor);
    }

    /// <summary>Demands that the current token is of a kind.</summary>
    /// <param name="type">The kind.</param>
    /// <param name="what">What it is, for the message.</param>
    /// <param name="tensor">The tensor that it belongs to, if any.</param>
    /// <exception cref="ModelFormatException">It is another kind.</exception>
    public readonly void Require(JsonTokenType type, string what, string? tensor = null)
    {
        if (Type != type)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidHeaderDeserialization, $"Expected {what} at byte {Offset} of the file, found {Type}.", Offset, tensor);
        }
    }

    /// <summary>The current property name or short string.</summary>
    /// <exception cref="ModelFormatException">It is longer than a name may be, or not valid text.</exception>
    public readonly string GetName()
    {
        if (TextBytes > _nameBytes)
        {
            throw new ModelFormatException(ModelFormatError.LimitExceeded, $"A name has {TextBytes} bytes; at most {_nameBytes} are read.", Offset);
        }

        return GetText();
    }

    /// <summary>The current string, of any length.</summary>
    /// <exception cref="ModelFormatException">It is not valid text.</exception>
    public readonly string GetText()
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            // The one cause that is left, since the bytes are UTF-8: an escape such as \ud800 that stands for half a character.
            throw new ModelFormatException(
                ModelFormatError.InvalidHeaderDeserialization, "A string escapes half of a surrogate pair.", Offset, innerException: exception);
        }
    }

    /// <summary>Steps to the next token, which must be an integer of 0 … 2⁶⁴−1.</summary>
    /// <param name="what">What it is, for the message.</param>
    /// <param name="tensor">The tensor that it belongs to.</param>
    /// <exception cref="ModelFormatException">It is something else.</exception>
    public ulong ReadInteger(string what, string tensor)
    {
        Expect(JsonTokenType.Number, what, tensor);
        return GetInteger(what, tensor);
    }

    /// <summary>The current number, which must be an integer of 0 … 2⁶⁴−1.</summary>
    /// <param name="what">What it is, for the message.</param>
    /// <param name="tensor">The tensor that it belongs to.</param>
    /// <exception cref="ModelFormatException">It is something else.</exception>
    public readonly ulong GetInteger(string what, string tensor) => _json.TryGetUInt64(out ulong value)
        ? value
        : throw new ModelFormatException(
            ModelFormatError.InvalidHeaderDeserialization, $"Expected {what} at byte {Offset} of the file: an integer of 0 to 2^64-1.", Offset, tensor);

    /// <summary>Whether the current string is a given text.</summary>
    /// <param name="text">The text, UTF-8.</param>
    public readonly bool TextEquals(ReadOnlySpan<byte> text) => _json.ValueTextEquals(text);

    /// <summary>Steps over the next value, whatever it is.</summary>
    /// <exception cref="ModelFormatException">The text is broken.</exception>
    public void SkipValue()
    {
        Read();
        if (Type is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            int depth = _json.CurrentDepth;
            do
            {
                Read();
            }
            while (_json.CurrentDepth > depth || Type is not (JsonTokenType.EndObject or JsonTokenType.EndArray));
        }
    }

    // Keeps what is not consumed; a token that fills the whole buffer doubles it, so the work stays linear and the memory below twice the token.
    private void Refill()
    {
        int consumed = (int)_json.BytesConsumed;
        int kept = _filled - consumed;
        byte[] source = _buffer;
        if (kept == _buffer.Length && _buffer.Length > 0)
        {
            _buffer = new byte[(int)Math.Min(_buffer.Length * 2L, _end - _bufferOffset)];
        }

        source.AsSpan(consumed, kept).CopyTo(_buffer);
        _bufferOffset += consumed;
        _validated -= consumed;
        int count = (int)Math.Min(_buffer.Length - kept, _end - _bufferOffset - kept);
        new FileTensorData(_file, _bufferOffset + kept, count).Read(0, _buffer.AsSpan(kept, count));
        _filled = kept + count;
        bool final = _bufferOffset + _filled == _end;
        Validate(final);
        _json = new Utf8JsonReader(_buffer.AsSpan(0, _filled), final, _json.CurrentState);
    }

    // A character that the end of the buffer cuts waits for the next one.
    private void Validate(bool final)
    {
        var added = _buffer.AsSpan(_validated, _filled - _validated);
        int whole = !final && Rune.DecodeLastFromUtf8(added, out _, out int tail) == OperationStatus.NeedMoreData ? added.Length - tail : added.Length;
        if (!Utf8.IsValid(added[..whole]))
        {
            long offset = _bufferOffset + _validated;
            throw new ModelFormatException(
                ModelFormatError.InvalidHeader, $"The header is not valid UTF-8 text after byte {offset} of the file.", offset);
        }

        _validated += whole;
    }
}
