namespace Condense.Engine.Methods;

/// <summary>
/// What is known of a weight's use; anything may be absent. It enters as the error <c>Σᵢ wᵢ·‖Wᵢ − Ŵᵢ‖²</c> over the rows i.
/// </summary>
public sealed record Importance
{
    /// <summary>Nothing is known: every row counts 1.</summary>
    public static Importance None { get; } = new();

    /// <summary>Weight wᵢ ≥ 0 of each row, finite; null: every row counts 1.</summary>
    public IReadOnlyList<double>? RowWeights { get; init; }
}
