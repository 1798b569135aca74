using System.Collections.Immutable;
using System.Numerics.Tensors;
using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary>
/// Blocks of rows, one below the other, each a structure of its own: some rows may be kept more exactly than others. The rows stand as in the matrix, or
/// in another order; then row i of the matrix is row <c>Permutation[i]</c> of the stacked blocks.
/// </summary>
public sealed class RowPartitionMatrix : StructuredMatrix
{
    private readonly ImmutableArray<StructuredMatrix> _blocks;
    private readonly RowPartitionForm _form;

    // The first row of each block.
    private readonly int[] _starts;

    private readonly int[]? _permutation;

    /// <summary>Puts blocks one below the other.</summary>
    /// <param name="blocks">At least two, each of at least one row, all with the same number of columns.</param>
    /// <param name="permutation">For each row of the matrix its place in the stacked blocks; null: the same place. Not copied, and kept even where it moves nothing.</param>
    /// <exception cref="ArgumentException">The blocks break these laws, have more rows together than an int holds, or the places are not each row's once.</exception>
    public RowPartitionMatrix(IReadOnlyList<StructuredMatrix> blocks, int[]? permutation = null)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        _blocks = [.. blocks];
        _form = new RowPartitionForm([.. _blocks.Select(block => block.Form)], permutation is not null);
        CheckPermutation(permutation, _form.Rows);
        _permutation = permutation;
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

    /// <summary>For each row of the matrix its place in the stacked blocks; null when every row stands in its own place. Must not be changed.</summary>
    public int[]? Permutation => _permutation;

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
        if (_permutation is not null)
        {
            var stacked = new Matrix(x.Rows, x.Columns);
            for (int i = 0; i < x.Rows; i++)
            {
                x.Row(i).CopyTo(stacked.Row(_permutation[i]));
            }

            x = stacked;
        }

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
            ends[BlockOf(Place(id))]++;
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
            int place = Place(ids[i]);
            int g = BlockOf(place);
            local[next[g]] = place - _starts[g];
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

    private static void CheckPermutation(int[]? permutation, int rows)
    {
        if (permutation is null)
        {
            return;
        }

        if (permutation.Length != rows)
        {
            throw new ArgumentException($"There are {permutation.Length} places for {rows} rows.", nameof(permutation));
        }

        var taken = new bool[rows];
        for (int row = 0; row < rows; row++)
        {
            int place = permutation[row];
            if ((uint)place >= (uint)rows || taken[place])
            {
                throw new ArgumentException($"Row {row} has place {place} of {rows}; each place belongs to one row.", nameof(permutation));
            }

            taken[place] = true;
        }
    }

    private int Place(int row) => _permutation is null ? row : _permutation[row];

    private int BlockOf(int place)
    {
        int found = _starts.AsSpan().BinarySearch(place);
        return found >= 0 ? found : ~found - 1;
    }

    private Matrix Stack(int columns, Func<StructuredMatrix, Matrix> compute)
    {
        var stacked = new Matrix(Rows, columns);
        for (int g = 0; g < _blocks.Length; g++)
        {
            compute(_blocks[g]).Values.CopyTo(RowsOf(stacked, g));
        }

        if (_permutation is null)
        {
            return stacked;
        }

        var ordered = new Matrix(Rows, columns);
        for (int i = 0; i < Rows; i++)
        {
            stacked.Row(_permutation[i]).CopyTo(ordered.Row(i));
        }

        return ordered;
    }

    /// <summary>The rows of a matrix as high as this one that stand beside a block, in place.</summary>
    private Span<float> RowsOf(Matrix matrix, int block)
        => matrix.Values.AsSpan(_starts[block] * matrix.Columns, _blocks[block].Rows * matrix.Columns);
}
