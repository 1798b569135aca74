using Condense.Engine.Structures;

namespace Condense.Pipeline.Reports;

/// <summary>One layer of a comparison.</summary>
public sealed record ComparedLayer
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Rows × columns on the left; null when the left has no such layer.</summary>
    public string? LeftShape { get; init; }

    /// <summary>Rows × columns on the right; null when the right has no such layer.</summary>
    public string? RightShape { get; init; }

    /// <summary>The structure on the left; null when it is a plain tensor.</summary>
    public StructureForm? LeftForm { get; init; }

    /// <summary>The structure on the right; null when it is a plain tensor.</summary>
    public StructureForm? RightForm { get; init; }

    /// <summary>Bytes of its tensors on the left.</summary>
    public long LeftBytes { get; init; }

    /// <summary>Bytes of its tensors on the right.</summary>
    public long RightBytes { get; init; }

    /// <summary><c>‖L−R‖_F ÷ ‖L‖_F</c>; null unless both have it with the same shape.</summary>
    public double? RelativeError { get; init; }
}
