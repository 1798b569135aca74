using Condense.Engine.Matrices;

namespace Condense.Engine.Kernels;

/// <summary>Dense products in f32.</summary>
public static class Gemm
{
    /// <summary><c>op(A)·op(B)</c>, where op is nothing or a transposition.</summary>
    /// <param name="a">m×k, or k×m when <paramref name="transposeA"/>.</param>
    /// <param name="b">k×n, or n×k when <paramref name="transposeB"/>.</param>
    /// <param name="transposeA">Takes Aᵀ.</param>
    /// <param name="transposeB">Takes Bᵀ.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <returns>m×n.</returns>
    /// <exception cref="ArgumentException">The inner dimensions differ.</exception>
    /// <remarks>O(m·n·k) multiply-adds, each rounded once; sums run through k in order, in blocks of 256.</remarks>
    public static Matrix Multiply(Matrix a, Matrix b, bool transposeA = false, bool transposeB = false, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        var left = transposeA ? Operand.Of(a).Transposed : Operand.Of(a);
        var right = transposeB ? Operand.Of(b).Transposed : Operand.Of(b);
        if (left.Columns != right.Rows)
        {
            throw new ArgumentException($"A is {left.Rows}×{left.Columns} and B {right.Rows}×{right.Columns}, as multiplied: the inner dimensions differ.", nameof(b));
        }

        var product = new Matrix(left.Rows, right.Columns);
        BlockedProduct.Compute(left, right, Operand.Of(product), threads);
        return product;
    }

    /// <summary><c>op(A)·op(B)</c> by three plain loops with sums in f64: the oracle of <see cref="Multiply"/>.</summary>
    internal static Matrix MultiplyReference(Matrix a, Matrix b, bool transposeA = false, bool transposeB = false)
    {
        var left = transposeA ? Operand.Of(a).Transposed : Operand.Of(a);
        var right = transposeB ? Operand.Of(b).Transposed : Operand.Of(b);
        var product = new Matrix(left.Rows, right.Columns);
        for (int i = 0; i < left.Rows; i++)
        {
            for (int j = 0; j < right.Columns; j++)
            {
                double sum = 0;
                for (int k = 0; k < left.Columns; k++)
                {
                    sum += (double)left.Values[(i * left.RowStride) + (k * left.ColumnStride)]
                        * right.Values[(k * right.RowStride) + (j * right.ColumnStride)];
                }

                product[i, j] = (float)sum;
            }
        }

        return product;
    }
}
