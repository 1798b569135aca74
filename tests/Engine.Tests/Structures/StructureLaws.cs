using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Structures;

/// <summary>What every structure must obey.</summary>
internal static class StructureLaws
{
    /// <summary>Multiply, MultiplyTransposed and GatherRows say the same as ToDense.</summary>
    public static void AssertConsistent(StructuredMatrix structure)
    {
        var dense = structure.ToDense();
        Assert.Equal((structure.Rows, structure.Columns), (dense.Rows, dense.Columns));
        Assert.Equal(structure.Form.StorageBits, structure.StorageBits);
        foreach (int k in new[] { 0, 1, 5 })
        {
            var x = Samples.Normal(structure.Columns, k, 11);
            var y = Samples.Normal(structure.Rows, k, 12);
            Assert.InRange(Samples.Distance(Product(dense, x), structure.Multiply(x)), 0, Tolerance.FloatProduct);
            Assert.InRange(Samples.Distance(Product(dense.Transpose(), y), structure.MultiplyTransposed(y)), 0, Tolerance.FloatProduct);
        }

        int[] ids = structure.Rows == 0 ? [] : [structure.Rows - 1, 0, structure.Rows / 2, 0];
        var gathered = structure.GatherRows(ids);
        var expected = new Matrix(ids.Length, structure.Columns);
        for (int i = 0; i < ids.Length; i++)
        {
            dense.Row(ids[i]).CopyTo(expected.Row(i));
        }

        Assert.InRange(Samples.Distance(expected, gathered), 0, Tolerance.FloatProduct);
        Assert.Throws<ArgumentOutOfRangeException>(() => structure.GatherRows([structure.Rows]));
        Assert.Throws<ArgumentOutOfRangeException>(() => structure.GatherRows([-1]));
        Assert.Throws<ArgumentException>(() => structure.Multiply(new Matrix(structure.Columns + 1, 2)));
        Assert.Throws<ArgumentException>(() => structure.MultiplyTransposed(new Matrix(structure.Rows + 1, 2)));
    }

    private static Matrix Product(Matrix a, Matrix b) => Condense.Engine.Kernels.Gemm.MultiplyReference(a, b);
}
