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

    /// <summary>What comes before every id that is made at that moment or later, and after every older one.</summary>
    public static string FirstOf(string prefix, DateTimeOffset moment) => Write(prefix, (UInt128)(ulong)moment.ToUnixTimeMilliseconds() << (8 * RandomBytes));

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
