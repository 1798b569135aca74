using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>The shape of a <see cref="ProductMatrix"/>: <c>Left·Right</c>, m×r times r×n.</summary>
public sealed record ProductForm : StructureForm
{
    /// <summary>Joins two factors.</summary>
    /// <param name="left">m×r.</param>
    /// <param name="right">r×n.</param>
    /// <exception cref="ArgumentException">The inner dimensions differ.</exception>
    public ProductForm(StructureForm left, StructureForm right)
        : base((left ?? throw new ArgumentNullException(nameof(left))).Rows, (right ?? throw new ArgumentNullException(nameof(right))).Columns)
    {
        if (left.Columns != right.Rows)
        {
            throw new ArgumentException($"Left is {left.Rows}×{left.Columns} and right {right.Rows}×{right.Columns}: the inner dimensions differ.", nameof(right));
        }

        Left = left;
        Right = right;
    }

    /// <summary>m×r.</summary>
    public StructureForm Left { get; }

    /// <summary>r×n.</summary>
    public StructureForm Right { get; }

    /// <summary>r.</summary>
    [JsonIgnore]
    public int Rank => Left.Columns;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long StorageBits => Left.StorageBits + Right.StorageBits;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => Left.ParameterCount + Right.ParameterCount;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long MultiplyAddsPerColumn => Left.MultiplyAddsPerColumn + Right.MultiplyAddsPerColumn;
}
