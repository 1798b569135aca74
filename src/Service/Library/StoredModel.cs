using Condense.Models;

namespace Condense.Service.Library;

/// <summary>A row of the table <c>model</c>.</summary>
internal sealed class StoredModel
{
    /// <summary>The id, <c>mdl_…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it; never a path.</summary>
    public string? Name { get; init; }

    /// <summary>The format, found from the bytes.</summary>
    public required ModelFormat Format { get; init; }

    /// <summary>The artifact.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Bytes of the artifact.</summary>
    public required long Bytes { get; init; }

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

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
