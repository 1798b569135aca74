using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Condense.Service.Hosting;

/// <summary>Moments as clients write them: RFC 3339, always with the offset. Without one, a moment would mean another on every server.</summary>
internal static class Moment
{
    /// <summary>What to say when a text is none.</summary>
    public const string Expected = "A moment with its offset belongs here, for example 2026-11-22T12:00:00Z.";

    private static readonly string[] s_formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];

    /// <summary>Reads a moment, as UTC.</summary>
    public static bool TryParse(string text, out DateTimeOffset moment) =>
        DateTimeOffset.TryParseExact(
            text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment);

    /// <summary>Moments in documents.</summary>
    internal sealed class MomentConverter : JsonConverter<DateTimeOffset>
    {
        /// <inheritdoc/>
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && TryParse(reader.GetString()!, out var moment)
                ? moment
                : throw new JsonException(message: null, new FormatException(Expected));

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }
}
