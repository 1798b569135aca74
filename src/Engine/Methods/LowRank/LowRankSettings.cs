namespace Condense.Engine.Methods;

/// <summary>How a weight is factorized.</summary>
public sealed record LowRankSettings
{
    /// <summary>r, 1 … the basis's rank.</summary>
    public required int Rank { get; init; }

    /// <summary>Bits of a code of the factors: 8, or null for factors in f32.</summary>
    public int? CodeBits { get; init; }
}
