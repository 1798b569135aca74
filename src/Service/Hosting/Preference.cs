using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Hosting;

/// <summary>The field <c>Prefer</c> (RFC 7240).</summary>
internal static class Preference
{
    private const string Wait = "wait";

    /// <summary>
    /// How long the client would wait for a finished answer; null without a wish, also when it can't be understood, as the RFC asks for. The answer
    /// says what was made of it.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="atMost">The longest wait.</param>
    public static TimeSpan? TakeWait(HttpContext http, TimeSpan atMost)
    {
        if (HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Append(HeaderNames.Vary, "Prefer");
        }

        foreach (string preference in http.Request.Headers["Prefer"].ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            string[] pair = preference.Split(';')[0].Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair is [var name, var value] && name.Equals(Wait, StringComparison.OrdinalIgnoreCase)
                && int.TryParse(value.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds))
            {
                // The first of a name counts.
                var wait = TimeSpan.FromSeconds(int.Min(seconds, (int)atMost.TotalSeconds));
                http.Response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"{Wait}={(int)wait.TotalSeconds}");
                return wait;
            }
        }

        return null;
    }
}
