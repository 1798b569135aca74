using System.Globalization;

namespace Condense.Pipeline.Reports.Html;

/// <summary>Numbers at a length that is read at a glance.</summary>
internal static class Quantity
{
    private static readonly string[] s_units = ["bytes", "kB", "MB", "GB", "TB"];

    /// <summary>Bytes in decimal units, three digits.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < s_units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return $"{(unit == 0 ? value.ToString("F0", CultureInfo.InvariantCulture) : ThreeDigits(value))} {s_units[unit]}";
    }

    /// <summary>A ratio: <c>3.52×</c>.</summary>
    public static string Ratio(double ratio) => $"{(ratio >= 100 ? ratio.ToString("N0", CultureInfo.InvariantCulture) : ThreeDigits(ratio))}×";

    /// <summary>An error or a difference: three digits, never rounded to nothing.</summary>
    public static string Error(double? error) => error is { } value ? (value == 0 ? "0" : value.ToString(Math.Abs(value) < 1e-4 ? "0.##E+0" : "G3", CultureInfo.InvariantCulture)) : "";

    /// <summary>A share as percent.</summary>
    public static string Percent(double share) => (share * 100).ToString(share is > 0.999 and < 1 ? "0.####" : "0.#", CultureInfo.InvariantCulture) + " %";

    private static string ThreeDigits(double value) => value.ToString(value >= 99.95 ? "F0" : value >= 9.995 ? "F1" : "F2", CultureInfo.InvariantCulture);
}
