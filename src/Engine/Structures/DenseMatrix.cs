using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Structures;

/// <summary>Entries as they are, rounded to a <see cref="FloatFormat"/>.</summary>
public sealed class DenseMatrix : StructuredMatrix
{
    private readonly DenseForm _form;

    /// <summary>Rounds the entries to a format, ties to even. O(m·n).</summary>
    /// <param name="values">m×n. With <see cref="FloatFormat.F32"/> it is not copied and must not change afterwards.</param>
    /// <param name="format">The format.</param>
    /// <exception cref="ArgumentException">An entry is finite, but larger than the format holds; ask <see cref="Fits"/> first.</exception>
    public DenseMatrix(Matrix values, FloatFormat format)
    {
        ArgumentNullException.ThrowIfNull(values);
        int overflow = FloatRounding.FindOverflow(values, format);
        if (overflow >= 0)
        {
            throw new ArgumentException(
                $"Entry ({overflow / values.Columns}, {overflow % values.Columns}) is {values.Values[overflow]}, more than {format} holds; keep the matrix in F32.",
                nameof(values));
        }

        _form = new DenseForm(values.Rows, values.Columns, format);
        Values = values;
        if (format != FloatFormat.F32)
        {
            Values = new Matrix(values.Rows, values.Columns);
            FloatRounding.Round(values.Values, format, Values.Values);
        }
    }

    /// <inheritdoc/>
    public override StructureForm Form => _form;

    /// <summary>How an entry is stored.</summary>
    public FloatFormat Format => _form.Format;

    /// <summary>The entries after rounding, m×n; must not be changed.</summary>
    public Matrix Values { get; }

    /// <summary>Whether every finite entry stays finite in the format. O(m·n).</summary>
    /// <param name="values">m×n.</param>
    /// <param name="format">The format.</param>
    public static bool Fits(Matrix values, FloatFormat format)
    {
        ArgumentNullException.ThrowIfNull(values);
        return FloatRounding.FindOverflow(values, format) < 0;
    }

    /// <summary>The largest magnitude that a format holds: 65,504 for f16, (2 − 2⁻⁷)·2¹²⁷ for bfloat16.</summary>
    /// <param name="format">The format.</param>
    public static double Largest(FloatFormat format) => format switch
    {
        FloatFormat.F16 => (double)Half.MaxValue,
        FloatFormat.BF16 => BitConverter.UInt32BitsToSingle(0x7F7F0000),
        _ => float.MaxValue,
    };

    /// <inheritdoc/>
    public override Matrix ToDense() => new(Rows, Columns, [.. Values.Values]);

    /// <inheritdoc/>
    public override Matrix Multiply(Matrix x)
    {
        CheckMultiply(x);
        return Gemm.Multiply(Values, x);
    }

    /// <inheritdoc/>
    public override Matrix MultiplyTransposed(Matrix x)
    {
        CheckMultiplyTransposed(x);
        return Gemm.Multiply(Values, x, transposeA: true);
    }

    /// <inheritdoc/>
    public override Matrix GatherRows(ReadOnlySpan<int> ids)
    {
        CheckRows(ids);
        var rows = new Matrix(ids.Length, Columns);
        for (int i = 0; i < ids.Length; i++)
        {
            Values.Row(ids[i]).CopyTo(rows.Row(i));
        }

        return rows;
    }
}
