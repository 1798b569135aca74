using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>How the numbers of blocks are stored.</summary>
/// <param name="CodeBits">Bits of a code: 8, or null for floats.</param>
/// <param name="Format">The format of floats; of no matter to codes.</param>
public readonly record struct BlockEntry(int? CodeBits, FloatFormat Format = FloatFormat.F32)
{
    /// <summary>The largest magnitude that a number may have: that of the format, or with codes that of their scale's.</summary>
    public double Largest => DenseMatrix.Largest(CodeBits is null ? Format : FloatFormat.F32);

    /// <summary>Two factors: codes with a scale for each column of the left and each row of the right, or floats.</summary>
    /// <param name="rows">Rows of the block.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="rank">The inner dimension, ≥ 1.</param>
    public ProductForm Factors(int rows, int columns, int rank) => CodeBits is { } bits
        ? new ProductForm(
            new QuantizedForm(rows, rank, bits, symmetric: true, QuantizationGranularity.PerColumn),
            new QuantizedForm(rank, columns, bits, symmetric: true, QuantizationGranularity.PerRow))
        : new ProductForm(new DenseForm(rows, rank, Format), new DenseForm(rank, columns, Format));

    /// <summary>The block's own entries: codes with a scale for each row, or floats.</summary>
    /// <param name="rows">Rows of the block.</param>
    /// <param name="columns">Its columns.</param>
    public StructureForm Whole(int rows, int columns) => CodeBits is { } bits
        ? new QuantizedForm(rows, columns, bits, symmetric: true, QuantizationGranularity.PerRow)
        : new DenseForm(rows, columns, Format);
}
