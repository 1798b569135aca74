using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Service.Hosting;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Webhooks;

namespace Condense.Service.Jobs;

/// <summary>What a new job shall do.</summary>
internal sealed record JobRequest
{
    /// <summary>The most entries of <see cref="Methods"/>, <see cref="Layers"/>, <see cref="Keep"/> and the tables of <see cref="Frequencies"/>, each.</summary>
    public const int MaxPatterns = 1000;

    /// <summary>The most characters of a pattern or a method's name.</summary>
    public const int MaxPatternLength = 1000;

    private const int MaxPriority = 9;
    private const int DefaultPriority = 5;

    /// <summary>The model to compress; it must be `ready`.</summary>
    /// <example>mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Model { get; init; }

    /// <summary>How small it must become. May be absent when `layers` fix the work; every other layer is then kept.</summary>
    public JobTarget? Target { get; init; }

    /// <summary>The methods that may be used, by the names of `GET /v1/methods`. Default: all that apply.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Layers whose method is fixed; the first rule that matches a layer counts.</summary>
    public IReadOnlyList<LayerChoice> Layers { get; init; } = [];

    /// <summary>Patterns of layers that stay as they are.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Token counts: a dataset's id, or the dataset with the tables that it belongs to.</summary>
    public FrequencyChoice? Frequencies { get; init; }

    /// <summary>What the result shall be.</summary>
    public OutputChoice? Output { get; init; }

    /// <summary>Seed of everything that draws numbers. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>Higher runs first, 0 to 9. Default 5.</summary>
    /// <example>5</example>
    public int Priority { get; init; } = DefaultPriority;

    /// <summary>A job that nobody has begun by then expires instead of waiting on; with its offset, in the future. Default: never.</summary>
    /// <example>2030-01-01T00:00:00Z</example>
    [JsonConverter(typeof(Moment.MomentConverter))]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What the run may cost.</summary>
    public JobConstraints? Constraints { get; init; }

    /// <summary>What the result must keep to; the job's document says of each whether it does.</summary>
    public JobAssertions? Assertions { get; init; }

    /// <summary>
    /// Names and values of your own, given back with the job and its result and searched by `GET /v1/jobs?metadata.name=value`: at most 50, names of 1
    /// to 100, values of at most 500 characters.
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Who is told about this job, besides the endpoints that ask for all of them. Default: nobody.</summary>
    public WebhookChoice? Webhook { get; init; }

    /// <summary>Checks everything that can be judged without the model.</summary>
    /// <param name="now">The time.</param>
    /// <param name="readable">Whether the recipe is whole enough to be judged against a model all the same.</param>
    /// <returns>Fields that can't be used, all of them.</returns>
    public List<FieldError> Check(DateTimeOffset now, out bool readable)
    {
        var errors = new List<FieldError>();
        var target = Target?.ToTarget(errors);
        if (Target is null && Layers.Count == 0)
        {
            errors.Add(new FieldError("/target", "Without layers that fix the work, a target belongs here, for example {\"ratio\": 3.5}."));
        }

        if (Priority is < 0 or > MaxPriority)
        {
            errors.Add(new FieldError("/priority", $"A number between 0 and {MaxPriority} belongs here."));
        }

        int before = errors.Count;
        CheckTexts(errors, "/methods", Methods);
        CheckTexts(errors, "/keep", Keep);
        CheckTexts(errors, "/frequencies/layers", Frequencies?.Layers ?? []);
        CheckTexts(errors, "/layers", [.. Layers.Select(layer => layer.Match)], "/match");
        CheckTexts(errors, "/layers", [.. Layers.Select(layer => layer.Method)], "/method");
        readable = errors.Count == before && double.IsFinite(target?.Value ?? 0);
        if (Output?.Form is { } form and not ModelForm.Portable)
        {
            errors.Add(new FieldError("/output/form", $"A job makes the portable form. Fetch the {form.ToString().ToLowerInvariant()} one with GET /v1/models/{{id}}/content?form={form.ToString().ToLowerInvariant()} when it has ended."));
        }

        Constraints?.Check(errors);
        Assertions?.Check(errors);
        Webhook?.Check(errors, "/webhook");
        ClientMetadata.Check(errors, "/metadata/", Metadata);
        if (ExpiresAt <= now)
        {
            errors.Add(new FieldError("/expiresAt", "A moment in the future belongs here."));
        }

        return errors;
    }

    /// <summary>The format of the result.</summary>
    /// <param name="model">The format of the model.</param>
    public ModelFormat OutputFormatFor(ModelFormat model) => Output?.Format ?? OutputFormats.DefaultOf(model);

    /// <summary>The recipe for the pipeline.</summary>
    /// <param name="counts">The token counts, if <see cref="Frequencies"/> names any.</param>
    public CompressionRecipe ToRecipe(IReadOnlyList<double>? counts) => new()
    {
        Target = Target?.ToTarget([]),
        Methods = Methods,
        Layers = [.. Layers.Select(layer => new LayerRule(layer.Match, layer.Method, layer.Settings))],
        Keep = Keep,
        Frequencies = counts is null ? null : new TokenFrequencies(counts, Frequencies!.Layers, Frequencies.Exponent ?? TokenFrequencies.DefaultExponent),
        Opset = Output?.Opset,
        Seed = Seed,
    };

    private static void CheckTexts(List<FieldError> errors, string pointer, IReadOnlyList<string> texts, string suffix = "")
    {
        if (texts.Count > MaxPatterns)
        {
            errors.Add(new FieldError(pointer, $"At most {MaxPatterns} entries belong here; there are {texts.Count.ToString(CultureInfo.InvariantCulture)}."));
            return;
        }

        for (int i = 0; i < texts.Count; i++)
        {
            // The annotations promise no nulls, but the serializer does not look into collections.
            if (texts[i] is null or { Length: 0 or > MaxPatternLength })
            {
                errors.Add(new FieldError($"{pointer}/{i.ToString(CultureInfo.InvariantCulture)}{suffix}", $"A text of 1 to {MaxPatternLength} characters belongs here."));
            }
        }
    }
}

/// <summary>Fixes the method of the layers that a pattern names.</summary>
internal sealed record LayerChoice
{
    /// <summary>A pattern over layer names: `*` any run of characters, `?` one.</summary>
    /// <example>encoder.*</example>
    public required string Match { get; init; }

    /// <summary>A method of `GET /v1/methods`.</summary>
    /// <example>low-rank</example>
    public required string Method { get; init; }

    /// <summary>The method's settings. Default: its defaults.</summary>
    public JsonObject? Settings { get; init; }
}

/// <summary>What the result shall be.</summary>
internal sealed record OutputChoice
{
    /// <summary>
    /// The file format: an ONNX model stays `onnx`; any other may become `safetensors` or `npz`. Default: that of the model where it is one of these, else `safetensors`.
    /// </summary>
    public ModelFormat? Format { get; init; }

    /// <summary>For ONNX: the opset of the standard operators, from that of the model to 25; the graph is converted operator by operator. Default: that of the model.</summary>
    /// <example>21</example>
    public int? Opset { get; init; }

    /// <summary>`portable`: standard operators or plain tensors, which stock runtimes take as they are. The dense form of a result is had by `?form=dense` of its content.</summary>
    /// <example>portable</example>
    public ModelForm? Form { get; init; }
}
