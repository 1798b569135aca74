namespace Condense.Pipeline.Reports;

/// <summary>Two models, layer by layer.</summary>
public sealed record ComparisonReport
{
    /// <summary>The left file.</summary>
    public required ComparedFile Left { get; init; }

    /// <summary>The right file.</summary>
    public required ComparedFile Right { get; init; }

    /// <summary>Left bytes ÷ right bytes.</summary>
    public required double Ratio { get; init; }

    /// <summary><c>√(Σ‖L−R‖² ÷ Σ‖L‖²)</c> over the layers that both have with the same shape.</summary>
    public required double RelativeError { get; init; }

    /// <summary>The layers that either has, in the order of the left file, then those of the right alone.</summary>
    public required IReadOnlyList<ComparedLayer> Layers { get; init; }

    /// <summary>Other tensors (biases, norms, constants) that both have with the same bytes.</summary>
    public required int IdenticalTensors { get; init; }

    /// <summary>Names of other tensors that differ, or that one side alone has.</summary>
    public required IReadOnlyList<string> DifferentTensors { get; init; }
}
