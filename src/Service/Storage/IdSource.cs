using System.Buffers;
using System.Security.Cryptography;

namespace Condense.Service.Storage;

/// <summary>
/// Makes ids: a prefix and a ULID (48 bits of milliseconds, 80 random bits, in Crockford's base 32). Ids of one process increase strictly, so
/// their order is the order of creation.
/// </summary>
internal sealed class IdSource(TimeProvider clock)
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Characters = 26;
    private const int RandomBytes = 10;
    private const int MaxPrefix = 8;

    private static readonly SearchValues<char> s_alphabet = SearchValues.Create(Alphabet);

    private readonly Lock _lock = new();
    private long _milliseconds;
    private UInt128 _random;

    /// <summary>The next id, for example <c>mdl_01JD…</c>.</summary>
    public string Next(string prefix)
    {
        UInt128 value;
        lock (_lock)
        {
            long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            if (now > _milliseconds)
            {
                _milliseconds = now;
                _random = Draw();
            }
            else
            {
                // The same millisecond, or a clock that was set back: one more than the last.
                _random++;
            }

            value = ((UInt128)(ulong)_milliseconds << (8 * RandomBytes)) + _random;
        }

        return Write(prefix, value);
    }

    /// <summary>The least id that can be made at a moment: whatever is made then or later compares as equal or greater.</summary>
    public static string First(string prefix, DateTimeOffset moment) =>
        Write(prefix, (UInt128)(ulong)long.Max(0, moment.ToUnixTimeMilliseconds()) << (8 * RandomBytes));

    /// <summary>Whether a text could be an id: nothing else needs to be looked for, and databases do not take every text.</summary>
    public static bool IsId(string text) =>
        text.LastIndexOf('_') is >= 0 and <= MaxPrefix and var end
        && text.AsSpan(end + 1).Length == Characters
        && !text.AsSpan(end + 1).ContainsAnyExcept(s_alphabet)
        && !text.AsSpan(0, end).ContainsAnyExceptInRange('a', 'z');

    private static string Write(string prefix, UInt128 value) =>
        string.Create(prefix.Length + Characters, (prefix, value), static (text, state) =>
        {
            state.prefix.CopyTo(text);
            var rest = state.value;
            for (int i = text.Length - 1; i >= state.prefix.Length; i--)
            {
                text[i] = Alphabet[(int)(rest & 31)];
                rest >>= 5;
            }
        });

    /// <summary>80 random bits, the highest clear: there is always room to count up within a millisecond.</summary>
    private static UInt128 Draw()
    {
        Span<byte> bytes = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(bytes);
        bytes[0] &= 0x7F;
        UInt128 value = 0;
        foreach (byte b in bytes)
        {
            value = (value << 8) | b;
        }

        return value;
    }
}
