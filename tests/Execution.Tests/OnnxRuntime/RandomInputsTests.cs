using System.Runtime.InteropServices;
using Condense.Execution.OnnxRuntime;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Execution.Tests.OnnxRuntime;

public sealed class RandomInputsTests
{
    private static readonly Dictionary<string, long> s_limits = new(StringComparer.Ordinal) { ["ids"] = 7 };

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F64)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Floats_are_normal(DType type)
    {
        var x = Make(new RuntimeValue("x", type, [new(20_000, "")]));
        double[] values = [.. Enumerable.Range(0, 20_000).Select(x.Float)];
        double mean = values.Average();
        double variance = values.Average(value => (value - mean) * (value - mean));

        // Five standard errors of the mean and of the variance; the kurtosis of a normal distribution is 3.
        Assert.Equal(0, mean, 5 / Math.Sqrt(20_000));
        Assert.Equal(1, variance, 5 * Math.Sqrt(2.0 / 20_000));
        Assert.Equal(3, values.Average(value => Math.Pow(value - mean, 4)) / (variance * variance), 0.3);
    }

    [Theory]
    [InlineData("ids", 7)]
    [InlineData("mask", 2)]
    public void Integers_fill_the_range_that_they_number(string name, long limit)
    {
        var ids = Make(new RuntimeValue(name, DType.I64, [new(1000, "")]));
        Assert.Equal(Enumerable.Range(0, (int)limit).Select(i => (long)i), MemoryMarshal.Cast<byte, long>(ids.Data).ToArray().Distinct().Order());
    }

    [Fact]
    public void Booleans_are_zero_or_one()
        => Assert.Equal((byte[])[0, 1], Make(new RuntimeValue("b", DType.Bool, [new(100, "")])).Data.Distinct().Order());

    [Fact]
    public void Small_integers_do_not_pass_their_type()
    {
        var limits = new Dictionary<string, long>(StringComparer.Ordinal) { ["x"] = 100_000 };
        var x = new RandomInputs(1, limits).Create([new RuntimeValue("x", DType.I8, [new(1000, "")])], 1, 8)["x"];
        Assert.All(x.Data, value => Assert.True(value < sbyte.MaxValue));
    }

    [Theory]
    [InlineData("batch_size", 1, 3)]
    [InlineData("N", 1, 3)]
    [InlineData("", 1, 5)]
    [InlineData("", 0, 3)]
    [InlineData("sequence", 0, 5)]
    public void Symbolic_dimensions_are_filled_in_by_what_they_look_like(string name, int axis, long expected)
    {
        Dimension[] shape = [new(9, ""), new(9, "")];
        shape[axis] = new Dimension(null, name);
        var x = new RandomInputs(1, s_limits).Create([new RuntimeValue("x", DType.F32, [.. shape])], batch: 3, other: 5)["x"];
        Assert.Equal(expected, x.Shape[axis]);
        Assert.Equal(9, x.Shape[1 - axis]);
    }

    [Fact]
    public void A_seed_fixes_the_numbers_and_another_changes_them()
    {
        var value = new RuntimeValue("x", DType.F32, [new(50, "")]);
        byte[] Draw(ulong seed) => new RandomInputs(seed, s_limits).Create([value], 1, 8)["x"].Data;
        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));
    }

    [Fact]
    public void Each_input_has_numbers_of_its_own()
    {
        var inputs = new RandomInputs(1, s_limits).Create([new RuntimeValue("a", DType.F32, [new(50, "")]), new RuntimeValue("b", DType.F32, [new(50, "")])], 1, 8);
        Assert.NotEqual(inputs["a"].Data, inputs["b"].Data);
    }

    [Fact]
    public void An_input_that_is_no_tensor_is_refused()
        => Assert.Throws<ArgumentException>(() => Make(new RuntimeValue("x", null, [])));

    private static RuntimeTensor Make(RuntimeValue value) => new RandomInputs(1, s_limits).Create([value], 1, 8)[value.Name];
}
