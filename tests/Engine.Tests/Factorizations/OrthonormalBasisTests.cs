using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;

namespace Condense.Engine.Tests.Factorizations;

public sealed class OrthonormalBasisTests
{
    [Fact]
    public void Independent_columns_become_orthonormal_and_keep_their_span()
    {
        var columns = Samples.Decaying(200, 30, 2, 1);
        var basis = OrthonormalBasis.Of(columns, 1);
        AssertOrthonormal(basis);
        AssertSpans(basis, columns);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Dependent_and_zero_columns_are_completed(int kind)
    {
        var columns = kind == 0 ? Samples.OfRank(50, 12, 5, 1) : Samples.Normal(50, 12, 1);
        for (int i = 0; i < 50; i++)
        {
            columns[i, 11] = 0;
            columns[i, 10] = columns[i, 2];
        }

        var basis = OrthonormalBasis.Of(columns, 1);
        AssertOrthonormal(basis);
        AssertSpans(basis, columns);
        AssertOrthonormal(OrthonormalBasis.Of(new Matrix(9, 4), 1));
        AssertOrthonormal(OrthonormalBasis.Of(new Matrix(4, 4), 1));
    }

    [Fact]
    public void Reflections_agree_with_Cholesky_up_to_signs()
    {
        var columns = Samples.Normal(80, 20, 1);
        var cholesky = OrthonormalBasis.Of(columns, 1);
        var reflections = Householder.OrthonormalColumns(columns);
        for (int i = 0; i < cholesky.Values.Length; i++)
        {
            Assert.InRange(Math.Abs(Math.Abs(cholesky.Values[i]) - Math.Abs(reflections.Values[i])), 0, Tolerance.FloatOrthonormal);
        }
    }

    private static void AssertOrthonormal(Matrix basis)
    {
        var gram = Gram.OfColumns(basis);
        for (int i = 0; i < basis.Columns; i++)
        {
            for (int j = 0; j < basis.Columns; j++)
            {
                Assert.InRange(Math.Abs(gram[(i * basis.Columns) + j] - (i == j ? 1 : 0)), 0, Tolerance.FloatOrthonormal);
            }
        }
    }

    /// <summary>Each column is its projection on the first vectors of the basis.</summary>
    private static void AssertSpans(Matrix basis, Matrix columns)
    {
        var coordinates = Gemm.MultiplyReference(basis, columns, transposeA: true);
        Assert.InRange(Samples.Distance(columns, Gemm.MultiplyReference(basis, coordinates)), 0, Tolerance.FloatProduct);
        for (int j = 0; j < columns.Columns; j++)
        {
            double norm = Math.Sqrt(Enumerable.Range(0, columns.Rows).Sum(i => (double)columns[i, j] * columns[i, j]));
            for (int i = j + 1; i < columns.Columns; i++)
            {
                Assert.InRange(Math.Abs(coordinates[i, j]), 0, Tolerance.FloatProduct * norm);
            }
        }
    }
}
