using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>
/// One weight of a model, seen as a matrix W of out×in: rows are what comes out (vocabulary entries of a table, output features, gates,
/// output channels), columns what goes in.
/// </summary>
public sealed record Layer
{
    /// <summary>The initializer's or tensor's name, or <c>&lt;first consumer&gt;/&lt;input&gt;</c> for a weight in a Constant node; stable across reads, unique.</summary>
    public required string Name { get; init; }

    /// <summary>The tensor as the file has it; of a weight that is stored as integer codes, what a <c>DequantizeLinear</c> makes of them, in f32.</summary>
    public required Tensor Tensor { get; init; }

    /// <summary>What it does.</summary>
    public required WeightRole Role { get; init; }

    /// <summary>The first consumer's operator; null where there is no graph.</summary>
    public string? Operator { get; init; }

    /// <summary>Rows of W: out.</summary>
    public required int Rows { get; init; }

    /// <summary>Columns of W: in. A convolution's kernels are folded: in·kh·kw.</summary>
    public required int Columns { get; init; }

    /// <summary>Whether the file stores Wᵀ, row-major (a <c>MatMul</c> weight, in×out), instead of W.</summary>
    public required bool Transposed { get; init; }

    /// <summary>The graph whose initializer or Constant node it is; null where there is no graph.</summary>
    public ModelGraph? Scope { get; init; }

    /// <summary>The tensors of the file that make it up when it is stored as integer codes: codes, scales, zero points; else empty.</summary>
    public ImmutableArray<Tensor> Quantized { get; init; } = [];

    /// <summary>The bytes that the file has for it.</summary>
    public long StoredBytes => Quantized.IsEmpty ? Tensor.Data.ByteLength : Quantized.Sum(tensor => tensor.Data.ByteLength);

    /// <summary>The type of the numbers that the file has for it.</summary>
    public DType StoredType => Quantized.IsEmpty ? Tensor.DType : Quantized[0].DType;

    /// <summary>The Constant node that holds it, or the <c>DequantizeLinear</c> that makes it of codes; null for an initializer and where there is no graph.</summary>
    public Node? Constant { get; init; }

    /// <summary>Where it is used; empty where there is no graph.</summary>
    public ImmutableArray<WeightUse> Uses { get; init; } = [];

    /// <summary>The nodes that compute with it: its uses, and behind those that only shape, turn or cast it the ones that get the result.</summary>
    public IEnumerable<WeightUse> Consumers => Ends.Select(end => end.Use);

    /// <summary>The consumers, with what each gets.</summary>
    internal ImmutableArray<WeightEnd> Ends { get; init; } = [];

    /// <summary>The nodes that only shape, turn or cast the weight.</summary>
    internal ImmutableArray<WeightPassage> Passages { get; init; } = [];

    /// <summary>Whether the weight, or what such a node makes of it, is an output of a graph.</summary>
    internal bool IsOutput { get; init; }
}
