using System.Text.Json;
using System.Text.Json.Serialization;

namespace Condense.Service.Jobs;

/// <summary>Token counts for a job: a dataset's id, or an object with the dataset and the tables that the counts belong to.</summary>
[JsonConverter(typeof(FrequencyChoiceConverter))]
internal sealed record FrequencyChoice
{
    /// <summary>The dataset.</summary>
    /// <example>dst_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Dataset { get; init; }

    /// <summary>Patterns over the names of the tables. Default: every embedding and output layer with that many rows.</summary>
    public IReadOnlyList<string> Layers { get; init; } = [];

    /// <summary>α of the row weights `(count + 1)^α`, 0 to 1: 1 serves frequent rows alone, 0 all alike. Default 0.75.</summary>
    /// <example>0.75</example>
    public double? Exponent { get; init; }

    /// <summary>Reads both forms, writes the shorter one that says everything.</summary>
    internal sealed class FrequencyChoiceConverter : JsonConverter<FrequencyChoice>
    {
        /// <inheritdoc/>
        public override FrequencyChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                return new FrequencyChoice { Dataset = reader.GetString()! };
            }

            var document = JsonSerializer.Deserialize<ObjectForm>(ref reader, options) ?? throw new JsonException();
            return new FrequencyChoice { Dataset = document.Dataset, Layers = document.Layers, Exponent = document.Exponent };
        }

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, FrequencyChoice value, JsonSerializerOptions options)
        {
            if (value.Layers.Count == 0 && value.Exponent is null)
            {
                writer.WriteStringValue(value.Dataset);
            }
            else
            {
                JsonSerializer.Serialize(writer, new ObjectForm { Dataset = value.Dataset, Layers = value.Layers, Exponent = value.Exponent }, options);
            }
        }
    }

    private sealed record ObjectForm
    {
        public required string Dataset { get; init; }

        public IReadOnlyList<string> Layers { get; init; } = [];

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public double? Exponent { get; init; }
    }
}
