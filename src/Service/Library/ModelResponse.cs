using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Reports;

namespace Condense.Service.Library;

/// <summary>A model as clients see it. A compressed model is itself a model.</summary>
internal sealed record ModelResponse
{
    /// <summary>The id.</summary>
    /// <example>mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>What the upload called it.</summary>
    public string? Name { get; init; }

    /// <summary>`receiving` while files of a model of several files are uploaded, `validating` until every weight has been read, then `ready` or `rejected`.</summary>
    public required ModelState State { get; init; }

    /// <summary>The format, found from the bytes; absent while receiving.</summary>
    public ModelFormat? Format { get; init; }

    /// <summary>SHA-256 of the file, of a model of several files that of the main one; lower-case hex; absent while receiving.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Bytes of all its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>The files of a model of several files, by name; absent for a model of one file.</summary>
    public IReadOnlyList<PartResponse>? Parts { get; init; }

    /// <summary>Numbers in all floating-point tensors; absent while validating.</summary>
    public long? ParameterCount { get; init; }

    /// <summary>The operator set of each domain; absent while validating, empty without a graph.</summary>
    public IReadOnlyDictionary<string, long>? Opsets { get; init; }

    /// <summary>What goes in; absent while validating, empty without a graph.</summary>
    public IReadOnlyList<ValueDescription>? Inputs { get; init; }

    /// <summary>What comes out; absent while validating, empty without a graph.</summary>
    public IReadOnlyList<ValueDescription>? Outputs { get; init; }

    /// <summary>What the user should know; for a rejected model the reason.</summary>
    public required IReadOnlyList<ModelFinding> Findings { get; init; }

    /// <summary>Where a compressed model comes from; absent for an uploaded one.</summary>
    public ModelSource? Source { get; init; }

    /// <summary>The client's own names and values; a compressed model has those of its job.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where to go from here.</summary>
    public required ModelLinks Links { get; init; }

    /// <summary>The document of a row.</summary>
    public static ModelResponse Of(StoredModel model)
    {
        var graph = model.GraphJson is null ? null : JsonSerializer.Deserialize<GraphDescription>(model.GraphJson, ReportJson.Options);
        string self = $"/v1/models/{model.Id}";
        return new ModelResponse
        {
            Id = model.Id,
            Name = model.Name,
            State = model.State,
            Format = model.Format,
            Sha256 = model.Sha256,
            Bytes = model.Bytes,
            Parts = model.Parts.Count == 0 ? null : [.. model.Parts.OrderBy(part => part.Name, StringComparer.Ordinal).Select(PartResponse.Of)],
            ParameterCount = model.ParameterCount,
            Opsets = graph?.Opsets,
            Inputs = graph?.Inputs,
            Outputs = graph?.Outputs,
            Findings = JsonSerializer.Deserialize<ModelFinding[]>(model.FindingsJson, ReportJson.Options)!,
            Source = model.SourceJobId is null ? null : new ModelSource(model.SourceJobId),
            Metadata = model.Metadata(),
            CreatedAt = model.CreatedAt,
            Links = new ModelLinks(self, $"{self}/layers", $"{self}/content"),
        };
    }
}

/// <summary>Where a compressed model comes from.</summary>
/// <param name="Job">The job that made it.</param>
internal sealed record ModelSource(string Job);

/// <summary>Addresses around a model.</summary>
/// <param name="Self">The model.</param>
/// <param name="Layers">Its compressible layers.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record ModelLinks(string Self, string Layers, string Content);
