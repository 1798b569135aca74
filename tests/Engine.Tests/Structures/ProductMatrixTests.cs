using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Structures;

public sealed class ProductMatrixTests
{
    public static TheoryData<string> Leaves => ["f32", "f16", "int8", "uint8 groups", "product"];

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Every_composition_agrees_with_its_entries(string right)
    {
        foreach (string left in Leaves.Select(row => row.Data))
        {
            foreach (var (m, r, n) in new[] { (1, 1, 1), (300, 7, 33), (20, 40, 270), (0, 2, 3), (3, 2, 0) })
            {
                StructureLaws.AssertConsistent(new ProductMatrix(Leaf(left, m, r, 1), Leaf(right, r, n, 2)));
            }
        }
    }

    [Fact]
    public void Storage_and_operations_are_those_of_the_factors()
    {
        var product = new ProductMatrix(Leaf("int8", 10, 3, 1), Leaf("f32", 3, 20, 2));
        Assert.Equal(3, product.Rank);
        Assert.Equal((30 * 8) + (10 * 32) + (60 * 32), product.StorageBits);
        Assert.Equal(30 + 60, product.MultiplyAddsPerColumn);
        Assert.Equal(90, product.Form.ParameterCount);
    }

    [Fact]
    public void Different_inner_dimensions_are_refused() =>
        Assert.Throws<ArgumentException>(() => new ProductMatrix(Leaf("f32", 2, 3, 1), Leaf("f32", 4, 2, 1)));

    private static StructuredMatrix Leaf(string kind, int rows, int columns, int seed)
    {
        var values = Samples.Normal(rows, columns, seed);
        return kind switch
        {
            "f32" => new DenseMatrix(values, FloatFormat.F32),
            "f16" => new DenseMatrix(values, FloatFormat.F16),
            "int8" => RoundToNearest.Quantize(values, new QuantizedForm(rows, columns, 8, true, QuantizationGranularity.PerRow)),
            "uint8 groups" => RoundToNearest.Quantize(values, new QuantizedForm(rows, columns, 8, false, QuantizationGranularity.PerGroup, 4)),
            _ => new ProductMatrix(Leaf("f32", rows, 2, seed), Leaf("int8", 2, columns, seed + 1)),
        };
    }
}
