using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary>
/// A matrix W (m×n) in a form that takes fewer bytes or operations than its entries. Structures nest: the factors of a
/// <see cref="ProductMatrix"/> may be <see cref="QuantizedMatrix"/>. Immutable once made.
/// </summary>
public abstract class StructuredMatrix
{
    /// <summary>The shape, without the numbers.</summary>
    public abstract StructureForm Form { get; }

    /// <summary>m.</summary>
    public int Rows => Form.Rows;

    /// <summary>n.</summary>
    public int Columns => Form.Columns;

    /// <summary>Bits of everything that is stored: codes, scales, zero points, factors.</summary>
    public long StorageBits => Form.StorageBits;

    /// <summary>Multiply-adds of <c>W·x</c> for one column x.</summary>
    public long MultiplyAddsPerColumn => Form.MultiplyAddsPerColumn;

    /// <summary>The entries, m×n. O(m·n) memory; for a product O(m·n·r) time.</summary>
    public abstract Matrix ToDense();

    /// <summary><c>W·X</c>.</summary>
    /// <param name="x">n×k.</param>
    /// <returns>m×k.</returns>
    /// <exception cref="ArgumentException">X has another number of rows than W columns.</exception>
    public abstract Matrix Multiply(Matrix x);

    /// <summary><c>Wᵀ·X</c>.</summary>
    /// <param name="x">m×k.</param>
    /// <returns>n×k.</returns>
    /// <exception cref="ArgumentException">X has another number of rows than W.</exception>
    public abstract Matrix MultiplyTransposed(Matrix x);

    /// <summary>Rows of W, in the order of the ids; an id may repeat.</summary>
    /// <param name="ids">Row numbers, 0 … m−1.</param>
    /// <returns>ids.Length×n.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not a row.</exception>
    public abstract Matrix GatherRows(ReadOnlySpan<int> ids);

    /// <summary>Throws unless <c>W·X</c> is defined.</summary>
    /// <param name="x">n×k.</param>
    private protected void CheckMultiply(Matrix x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Rows != Columns)
        {
            throw new ArgumentException($"W is {Rows}×{Columns}: W·X needs {Columns} rows of X, not {x.Rows}.", nameof(x));
        }
    }

    /// <summary>Throws unless <c>Wᵀ·X</c> is defined.</summary>
    /// <param name="x">m×k.</param>
    private protected void CheckMultiplyTransposed(Matrix x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Rows != Rows)
        {
            throw new ArgumentException($"W is {Rows}×{Columns}: Wᵀ·X needs {Rows} rows of X, not {x.Rows}.", nameof(x));
        }
    }

    /// <summary>Throws unless every id is a row.</summary>
    /// <param name="ids">Row numbers.</param>
    private protected void CheckRows(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)Rows)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"W has the rows 0 … {Rows - 1}.");
            }
        }
    }
}
