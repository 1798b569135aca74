using System.Globalization;

namespace Condense.Cli;

/// <summary>Values as tables show them.</summary>
internal static class Words
{
    /// <summary>An enum's name as JSON writes it.</summary>
    public static string Camel<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>A whole number with thousands apart.</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
