namespace Condense.Engine.Matrices;

/// <summary>A dense matrix of <c>float</c>, Rows×Columns, row-major, without padding.</summary>
public sealed class Matrix
{
    /// <summary>Makes a matrix of zeros.</summary>
    /// <param name="rows">Rows, ≥ 0.</param>
    /// <param name="columns">Columns, ≥ 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative, or the product passes <see cref="Array.MaxLength"/>.</exception>
    public Matrix(int rows, int columns)
        : this(rows, columns, Allocate(rows, columns))
    {
    }

    /// <summary>Wraps values, row-major; they are not copied.</summary>
    /// <param name="rows">Rows, ≥ 0.</param>
    /// <param name="columns">Columns, ≥ 0.</param>
    /// <param name="values">Rows·Columns values.</param>
    /// <exception cref="ArgumentException">The number of values is not Rows·Columns.</exception>
    public Matrix(int rows, int columns, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        if (values.LongLength != (long)rows * columns)
        {
            throw new ArgumentException($"A {rows}×{columns} matrix has {(long)rows * columns} values, not {values.LongLength}.", nameof(values));
        }

        Rows = rows;
        Columns = columns;
        Values = values;
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The number of columns.</summary>
    public int Columns { get; }

    /// <summary>The entries, row-major.</summary>
    public float[] Values { get; }

    /// <summary>One entry.</summary>
    /// <param name="row">0 … Rows−1.</param>
    /// <param name="column">0 … Columns−1.</param>
    public float this[int row, int column]
    {
        get => Values[(row * (long)Columns) + column];
        set => Values[(row * (long)Columns) + column] = value;
    }

    /// <summary>One row, in place.</summary>
    /// <param name="row">0 … Rows−1.</param>
    public Span<float> Row(int row) => Values.AsSpan(row * Columns, Columns);

    /// <summary>Rows and columns exchanged, as a copy. O(Rows·Columns).</summary>
    public Matrix Transpose()
    {
        var transposed = new Matrix(Columns, Rows);

        // Square blocks: both sides stay within the first-level cache.
        const int Side = 32;
        for (int top = 0; top < Rows; top += Side)
        {
            for (int left = 0; left < Columns; left += Side)
            {
                for (int i = top; i < Math.Min(top + Side, Rows); i++)
                {
                    for (int j = left; j < Math.Min(left + Side, Columns); j++)
                    {
                        transposed.Values[(j * Rows) + i] = Values[(i * Columns) + j];
                    }
                }
            }
        }

        return transposed;
    }

    /// <summary>A copy of consecutive rows. O(count·Columns).</summary>
    /// <param name="start">The first row.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rows pass the end of the matrix.</exception>
    public Matrix RowRange(int start, int count) => new(count, Columns, Values.AsSpan(start * Columns, count * Columns).ToArray());

    private static float[] Allocate(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)rows * columns, Array.MaxLength, nameof(rows));
        return new float[rows * columns];
    }
}
