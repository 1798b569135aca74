using System.Text.Json;
using Condense.Models;
using Condense.Service.Access;

namespace Condense.Service.Library;

/// <summary>A row of the table <c>model</c>.</summary>
internal sealed class StoredModel : ITenantOwned
{
    /// <summary>What its ids begin with.</summary>
    public const string IdPrefix = "mdl_";

    /// <summary>The id, <c>mdl_…</c>.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>What people call it; never a path.</summary>
    public string? Name { get; set; }

    /// <summary>The format, found from the bytes; null while a model of several files is being received.</summary>
    public required ModelFormat? Format { get; set; }

    /// <summary>The artifact of the main file; null while a model of several files is being received.</summary>
    public required string? Sha256 { get; set; }

    /// <summary>Bytes of all its files.</summary>
    public required long Bytes { get; set; }

    /// <summary>The files of a model of several files, the main one among them; empty for a model of one file.</summary>
    public List<ModelPart> Parts { get; } = [];

    /// <summary>Where it is.</summary>
    public required ModelState State { get; set; }

    /// <summary>The job that made it; null for an uploaded one.</summary>
    public string? SourceJobId { get; init; }

    /// <summary>Numbers in all floating-point tensors; null until it is inspected.</summary>
    public long? ParameterCount { get; set; }

    /// <summary>Opsets, inputs and outputs as JSON; null until it is inspected.</summary>
    public string? GraphJson { get; set; }

    /// <summary>What the inspection found, as JSON.</summary>
    public string FindingsJson { get; set; } = "[]";

    /// <summary>The client's own names and values, as JSON.</summary>
    public string? MetadataJson { get; set; }

    /// <summary>Raised by every change; the document's version.</summary>
    public int Version { get; set; } = 1;

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The client's own names and values.</summary>
    public Dictionary<string, string> Metadata() =>
        MetadataJson is null ? new(StringComparer.Ordinal) : JsonSerializer.Deserialize<Dictionary<string, string>>(MetadataJson)!;
}
