using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary><c>Left·Right</c>, m×r times r×n; the factors are structures of any kind and are applied one after the other.</summary>
public sealed class ProductMatrix : StructuredMatrix
{
    private readonly ProductForm _form;

    /// <summary>Joins two factors.</summary>
    /// <param name="left">m×r.</param>
    /// <param name="right">r×n.</param>
    /// <exception cref="ArgumentException">The inner dimensions differ.</exception>
    public ProductMatrix(StructuredMatrix left, StructuredMatrix right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        _form = new ProductForm(left.Form, right.Form);
        Left = left;
        Right = right;
    }

    /// <inheritdoc/>
    public override StructureForm Form => _form;

    /// <summary>m×r.</summary>
    public StructuredMatrix Left { get; }

    /// <summary>r×n.</summary>
    public StructuredMatrix Right { get; }

    /// <summary>r.</summary>
    public int Rank => _form.Rank;

    /// <inheritdoc/>
    public override Matrix ToDense() => Left.Multiply(Right.ToDense());

    /// <inheritdoc/>
    public override Matrix Multiply(Matrix x)
    {
        CheckMultiply(x);
        return Left.Multiply(Right.Multiply(x));
    }

    /// <inheritdoc/>
    public override Matrix MultiplyTransposed(Matrix x)
    {
        CheckMultiplyTransposed(x);
        return Right.MultiplyTransposed(Left.MultiplyTransposed(x));
    }

    /// <inheritdoc/>
    /// <remarks>O(ids.Length·r·n): the rows of Left times Right, as <c>(Rightᵀ·rowsᵀ)ᵀ</c> so that Right need not be expanded.</remarks>
    public override Matrix GatherRows(ReadOnlySpan<int> ids)
    {
        var rows = Left.GatherRows(ids);
        return Right is DenseMatrix dense
            ? Gemm.Multiply(rows, dense.Values)
            : Right.MultiplyTransposed(rows.Transpose()).Transpose();
    }
}
