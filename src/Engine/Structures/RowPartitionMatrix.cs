using System.Collections.Immutable;
using System.Numerics.Tensors;
using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary>Blocks of neighbouring rows, one below the other, each a structure of its own: the first rows may be kept more exactly than the others.</summary>
public sealed class RowPartitionMatrix : StructuredMatrix
{
    private readonly ImmutableArray<StructuredMatrix> _blocks;
    private readonly RowPartitionForm _form;

    // The first row of each block.
    private readonly int[] _starts;

    /// <summary>Puts blocks one below the other.</summary>
    /// <param name="blocks">At least two, each of at least one row, all with the same number of columns.</param>
    /// <exception cref="ArgumentException">The blocks break these laws, or have more rows together than an int holds.</exception>
    public RowPartitionMatrix(IReadOnlyList<StructuredMatrix> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        _blocks = [.. blocks];
        _form = new RowPartitionForm([.. _blocks.Select(block => block.Form)]);
        _starts = new int[_blocks.Length];
        for (int g = 1; g < _starts.Length; g++)
        {
            _starts[g] = _starts[g - 1] + _blocks[g - 1].Rows;
        }
    }

    /// <inheritdoc/>
    public override StructureForm Form => _form;

    /// <summary>The blocks, from the first row to the last.</summary>
    public IReadOnlyList<StructuredMatrix> Blocks => _blocks;

    /// <inheritdoc/>
    public override Matrix ToDense() => Stack(Columns, block => block.ToDense());

    /// <inheritdoc/>
    public override Matrix Multiply(Matrix x)
    {
        CheckMultiply(x);
        return Stack(x.Columns, block => block.Multiply(x));
    }

    /// <inheritdoc/>
    /// <remarks>The blocks' products are added from the first to the last.</remarks>
    public override Matrix MultiplyTransposed(Matrix x)
    {
        CheckMultiplyTransposed(x);
        var product = new Matrix(Columns, x.Columns);
        for (int g = 0; g < _blocks.Length; g++)
        {
            var part = new Matrix(_blocks[g].Rows, x.Columns);
            RowsOf(x, g).CopyTo(part.Values);
            TensorPrimitives.Add(product.Values, _blocks[g].MultiplyTransposed(part).Values, product.Values);
        }

        return product;
    }

    /// <inheritdoc/>
    /// <remarks>Ids are sorted by block first, O(ids·log blocks + blocks), and each block is asked once.</remarks>
    public override Matrix GatherRows(ReadOnlySpan<int> ids)
    {
        CheckRows(ids);

        // The ids of block g, as rows of the block, and where in the answer they belong, stand at ends[g - 1] … ends[g] - 1.
        int[] ends = new int[_blocks.Length];
        foreach (int id in ids)
        {
            ends[BlockOf(id)]++;
        }

        for (int g = 1; g < ends.Length; g++)
        {
            ends[g] += ends[g - 1];
        }

        int[] next = [0, .. ends[..^1]];
        int[] local = new int[ids.Length];
        int[] places = new int[ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            int g = BlockOf(ids[i]);
            local[next[g]] = ids[i] - _starts[g];
            places[next[g]++] = i;
        }

        var rows = new Matrix(ids.Length, Columns);
        for (int g = 0, start = 0; g < ends.Length; start = ends[g++])
        {
            if (ends[g] > start)
            {
                var gathered = _blocks[g].GatherRows(local.AsSpan(start..ends[g]));
                for (int i = 0; i < gathered.Rows; i++)
                {
                    gathered.Row(i).CopyTo(rows.Row(places[start + i]));
                }
            }
        }

        return rows;
    }

    private int BlockOf(int row)
    {
        int found = _starts.AsSpan().BinarySearch(row);
        return found >= 0 ? found : ~found - 1;
    }

    private Matrix Stack(int columns, Func<StructuredMatrix, Matrix> compute)
    {
        var stacked = new Matrix(Rows, columns);
        for (int g = 0; g < _blocks.Length; g++)
        {
            compute(_blocks[g]).Values.CopyTo(RowsOf(stacked, g));
        }

        return stacked;
    }

    /// <summary>The rows of a matrix as high as this one that stand beside a block, in place.</summary>
    private Span<float> RowsOf(Matrix matrix, int block)
        => matrix.Values.AsSpan(_starts[block] * matrix.Columns, _blocks[block].Rows * matrix.Columns);
}
