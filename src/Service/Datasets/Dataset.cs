using Condense.Service.Access;

namespace Condense.Service.Datasets;

/// <summary>A row of the table <c>dataset</c>: token counts. The file is kept as it was uploaded, as an artifact.</summary>
internal sealed class Dataset : ITenantOwned
{
    /// <summary>The id, <c>dst_…</c>.</summary>
    public required string Id { get; init; }

    /// <inheritdoc/>
    public required string TenantId { get; init; }

    /// <summary>What people call it.</summary>
    public string? Name { get; init; }

    /// <summary>The artifact.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Bytes of the artifact.</summary>
    public required long Bytes { get; init; }

    /// <summary>How many counts it has.</summary>
    public required int Count { get; init; }

    /// <summary>Their sum.</summary>
    public required double Total { get; init; }

    /// <summary>Whether each count has a token.</summary>
    public required bool HasVocabulary { get; init; }

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
