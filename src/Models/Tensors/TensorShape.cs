using System.Collections.Immutable;

namespace Condense.Models.Tensors;

/// <summary>The dimensions of a tensor, outermost first; none for a scalar.</summary>
public sealed class TensorShape : IEquatable<TensorShape>
{
    /// <summary>Takes the dimensions.</summary>
    /// <param name="dimensions">Each ≥ 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative.</exception>
    /// <exception cref="OverflowException">The number of elements passes 2⁶³−1.</exception>
    public TensorShape(params ReadOnlySpan<long> dimensions)
    {
        // A zero anywhere makes the tensor empty, whatever the others multiply to.
        bool empty = dimensions.Contains(0);
        long count = 1;
        foreach (long dimension in dimensions)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(dimensions));
            count = empty ? 0 : checked(count * dimension);
        }

        Dimensions = [.. dimensions];
        ElementCount = count;
    }

    /// <summary>The dimensions, outermost first.</summary>
    public ImmutableArray<long> Dimensions { get; }

    /// <summary>Their number; 0 for a scalar.</summary>
    public int Rank => Dimensions.Length;

    /// <summary>Their product; 1 for a scalar.</summary>
    public long ElementCount { get; }

    /// <summary>One dimension.</summary>
    /// <param name="axis">0 … Rank−1.</param>
    public long this[int axis] => Dimensions[axis];

    /// <inheritdoc/>
    public bool Equals(TensorShape? other) => other is not null && Dimensions.AsSpan().SequenceEqual(other.Dimensions.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorShape);

    /// <inheritdoc/>
    public override int GetHashCode() => Dimensions.Aggregate(Rank, HashCode.Combine);

    /// <summary>The dimensions joined by ×; <c>scalar</c> without any.</summary>
    public override string ToString() => Rank == 0 ? "scalar" : string.Join('×', Dimensions);
}
