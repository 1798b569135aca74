using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Engine.Tests.Methods;

public sealed class FloatConversionTests
{
    [Theory]
    [InlineData(FloatFormat.F32, 0, 0)]
    [InlineData(FloatFormat.F16, 1e-4, 1.0 / 2048)]
    [InlineData(FloatFormat.BF16, 1e-3, 1.0 / 256)]
    public void The_prediction_is_the_result_to_the_bit_and_within_the_format(FloatFormat format, double least, double greatest)
    {
        var weight = Samples.Normal(700, 13, 1);
        var importance = new Importance { RowWeights = Samples.RowWeights(700, 2) };
        var result = FloatConversion.Compress(weight, importance, format);
        Assert.Equal(result.Error, FloatConversion.Predict(weight, importance, format, threads: 2));
        Assert.InRange(result.Error.RelativeError, least, greatest);
        Assert.Null(result.Bound);
    }

    [Fact]
    public void A_weight_beyond_the_format_is_predicted_infinite_and_refused()
    {
        var weight = Samples.Normal(3, 3, 1);
        weight[1, 1] = 1e6f;
        Assert.Equal(double.PositiveInfinity, FloatConversion.Predict(weight, Importance.None, FloatFormat.F16).SquaredError);
        Assert.Throws<ArgumentException>(() => FloatConversion.Compress(weight, Importance.None, FloatFormat.F16));
    }
}
