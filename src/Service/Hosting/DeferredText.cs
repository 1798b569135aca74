using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Condense.Service.Hosting;

/// <summary>
/// JSON that is looked into later. A text in it that is no Unicode, such as half of a surrogate pair, is refused at once and in its place, as it is in
/// every other field: later, nobody could read it.
/// </summary>
internal static class DeferredText
{
    /// <summary>Sets options up.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.Converters.Add(new Checked<JsonElement>(JsonMetadataServices.JsonElementConverter));
        options.Converters.Add(new Checked<JsonObject>(JsonMetadataServices.JsonObjectConverter!));
    }

    private sealed class Checked<T>(JsonConverter<T> converter) : JsonConverter<T>
    {
        /// <inheritdoc/>
        public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var ahead = reader;
            int depth = ahead.CurrentDepth;
            do
            {
                if (ahead.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    // Throws what the serializer gives its place.
                    ahead.GetString();
                }
            }
            while (ahead.Read() && ahead.CurrentDepth > depth);

            return converter.Read(ref reader, typeToConvert, options);
        }

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => converter.Write(writer, value, options);
    }
}
