using Condense.Engine.Matrices;

namespace Condense.Engine.Kernels;

/// <summary>
/// A matrix as a product reads it: element (i, j) lies at <c>Offset + i·RowStride + j·ColumnStride</c>, so a transposition or a block of rows is
/// another view of the same numbers.
/// </summary>
/// <param name="Values">The numbers.</param>
/// <param name="Offset">Where (0, 0) lies.</param>
/// <param name="Rows">Rows of the view.</param>
/// <param name="Columns">Columns of the view.</param>
/// <param name="RowStride">From a row to the next.</param>
/// <param name="ColumnStride">From a column to the next.</param>
internal readonly record struct Operand<T>(T[] Values, int Offset, int Rows, int Columns, int RowStride, int ColumnStride)
{
    /// <summary>The same numbers, rows and columns exchanged.</summary>
    public Operand<T> Transposed => new(Values, Offset, Columns, Rows, ColumnStride, RowStride);

    /// <summary>A run of rows.</summary>
    public Operand<T> RowRange(int start, int count) => this with { Offset = Offset + (start * RowStride), Rows = count };

    /// <summary>The first columns.</summary>
    public Operand<T> FirstColumns(int count) => this with { Columns = count };
}

/// <summary>Views of whole matrices.</summary>
internal static class Operand
{
    public static Operand<float> Of(Matrix matrix) => new(matrix.Values, 0, matrix.Rows, matrix.Columns, matrix.Columns, 1);

    public static Operand<double> Of(double[] values, int rows, int columns) => new(values, 0, rows, columns, columns, 1);
}
