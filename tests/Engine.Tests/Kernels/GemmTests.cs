using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Tests.Kernels;

public sealed class GemmTests
{
    /// <summary>Around the tile of 6 rows × 2 vectors, the blocks of 96 rows, 256 terms and 512 columns, and nothing at all.</summary>
    public static TheoryData<int, int, int> Shapes()
    {
        var shapes = new TheoryData<int, int, int>();
        int[] rows = [0, 1, 5, 6, 7, 13, 95, 96, 97, 193];
        int[] columns = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65];
        int[] depths = [0, 1, 2, 17, 255, 256, 257, 513];
        foreach (int m in rows)
        {
            foreach (int n in columns)
            {
                shapes.Add(m, n, depths[(m + n) % depths.Length]);
            }
        }

        foreach (int k in depths)
        {
            shapes.Add(13, 19, k);
        }

        shapes.Add(7, 511, 3);
        shapes.Add(7, 513, 3);
        shapes.Add(2, 4097, 2);
        shapes.Add(100, 1030, 260);
        return shapes;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_transposition_equals_the_plain_loops(int m, int n, int k)
    {
        foreach (bool transposeA in new[] { false, true })
        {
            foreach (bool transposeB in new[] { false, true })
            {
                var a = transposeA ? Samples.Normal(k, m, 1) : Samples.Normal(m, k, 1);
                var b = transposeB ? Samples.Normal(n, k, 2) : Samples.Normal(k, n, 2);
                var expected = Gemm.MultiplyReference(a, b, transposeA, transposeB);
                Assert.InRange(Samples.Distance(expected, Gemm.Multiply(a, b, transposeA, transposeB)), 0, Tolerance.FloatProduct);
            }
        }
    }

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        var a = Samples.Normal(301, 777, 1);
        var b = Samples.Normal(777, 1100, 2);
        var expected = Gemm.Multiply(a, b, threads: 1);
        foreach (int threads in new[] { 2, 3, 16 })
        {
            Assert.Equal(expected.Values, Gemm.Multiply(a, b, threads: threads).Values);
        }
    }

    [Fact]
    public void The_width_of_the_vectors_does_not_change_a_bit()
    {
        // Each entry is a chain of fused multiply-adds in order, block by block: this is what any width must compute.
        var a = Samples.Normal(9, 600, 1);
        var b = Samples.Normal(600, 21, 2);
        var product = Gemm.Multiply(a, b);
        for (int i = 0; i < 9; i++)
        {
            for (int j = 0; j < 21; j++)
            {
                float total = 0;
                for (int start = 0; start < 600; start += 256)
                {
                    float sum = 0;
                    for (int k = start; k < Math.Min(600, start + 256); k++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[i, k], b[k, j], sum);
                    }

                    total = start == 0 ? sum : sum + total;
                }

                Assert.Equal(total, product[i, j]);
            }
        }
    }

    [Fact]
    public void Different_inner_dimensions_are_refused_with_both_shapes()
    {
        var error = Assert.Throws<ArgumentException>(() => Gemm.Multiply(new Matrix(2, 3), new Matrix(4, 5)));
        Assert.Contains("2×3", error.Message, StringComparison.Ordinal);
        Assert.Contains("4×5", error.Message, StringComparison.Ordinal);
    }
}
