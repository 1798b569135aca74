using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Reports;

/// <summary>A compressible layer of a model.</summary>
public sealed record LayerDescription
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it does.</summary>
    public required WeightRole Role { get; init; }

    /// <summary>The first consumer's operator; null without a graph.</summary>
    public string? Operator { get; init; }

    /// <summary>The tensor's dimensions as the file has them.</summary>
    public required IReadOnlyList<long> Shape { get; init; }

    /// <summary>Rows of the matrix: out.</summary>
    public required int Rows { get; init; }

    /// <summary>Columns of the matrix: in.</summary>
    public required int Columns { get; init; }

    /// <summary>The type of its elements.</summary>
    public required DType DType { get; init; }

    /// <summary>Bytes of the tensor.</summary>
    public required long Bytes { get; init; }

    /// <summary>‖W‖_F over the finite entries.</summary>
    public required double Norm { get; init; }

    /// <summary>The fraction of zeros, 0 … 1.</summary>
    public required double Sparsity { get; init; }

    /// <summary>Methods of the catalogue that apply to it.</summary>
    public required IReadOnlyList<string> Methods { get; init; }
}
