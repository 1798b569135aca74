namespace Condense.Service.Datasets;

/// <summary>A dataset as clients see it.</summary>
internal sealed record DatasetResponse
{
    private static readonly string[] s_uses = ["frequencies"];

    /// <summary>The id.</summary>
    /// <example>dst_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>What the upload called it.</summary>
    public string? Name { get; init; }

    /// <summary>What it may be used for: the fields of a job that take it.</summary>
    public required IReadOnlyList<string> Uses { get; init; }

    /// <summary>How many counts it has: the rows of the tables that it belongs to.</summary>
    public required int Count { get; init; }

    /// <summary>The sum of the counts.</summary>
    public required double Total { get; init; }

    /// <summary>Whether each count has a token.</summary>
    public required bool HasVocabulary { get; init; }

    /// <summary>SHA-256 of the uploaded bytes, lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Length of the uploaded bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The document of a row.</summary>
    public static DatasetResponse Of(Dataset dataset) => new()
    {
        Id = dataset.Id,
        Name = dataset.Name,
        Uses = s_uses,
        Count = dataset.Count,
        Total = dataset.Total,
        HasVocabulary = dataset.HasVocabulary,
        Sha256 = dataset.Sha256,
        Bytes = dataset.Bytes,
        CreatedAt = dataset.CreatedAt,
    };
}
