using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Condense.Service.Access;

/// <summary>The text of a key: <c>cnd_live_</c> and random letters and digits. It is kept nowhere; tables and logs have its digest and its first characters.</summary>
internal static class KeyText
{
    /// <summary>How every key begins, so that scanners for leaked secrets know one.</summary>
    public const string Start = "cnd_live_";

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>5.95 bits each; the shown ones left out, 262 bits stay unknown.</summary>
    private const int RandomCharacters = 50;

    private const int ShownCharacters = 6;

    /// <summary>256 bits, for keys that the operator makes with a tool of his own.</summary>
    private const int MinCharacters = 43;

    private const int MaxCharacters = 128;

    private static readonly SearchValues<char> s_alphabet = SearchValues.Create(Alphabet);

    /// <summary>What a key must look like, for messages.</summary>
    public static string Form { get; } = $"{Start} and {MinCharacters} to {MaxCharacters} random letters and digits";

    /// <summary>Makes a key.</summary>
    public static string Create() => Start + RandomNumberGenerator.GetString(Alphabet, RandomCharacters);

    /// <summary>Whether a text can be a key at all.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text) =>
        text.StartsWith(Start, StringComparison.Ordinal)
        && text.Length - Start.Length is >= MinCharacters and <= MaxCharacters
        && !text[Start.Length..].ContainsAnyExcept(s_alphabet);

    /// <summary>SHA-256, lower-case hex. Keys are found by it: how long a look-up takes tells nothing of a key's text.</summary>
    public static string Digest(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key)));

    /// <summary>The first characters, by which people recognise a key.</summary>
    public static string Prefix(string key) => key[..(Start.Length + ShownCharacters)];
}
