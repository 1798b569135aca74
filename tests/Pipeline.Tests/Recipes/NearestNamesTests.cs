using Condense.Pipeline.Recipes;
using Xunit;

namespace Condense.Pipeline.Tests.Recipes;

public sealed class NearestNamesTests
{
    [Fact]
    public void Offers_the_least_edits_first() =>
        Assert.Equal(["encoder.weight", "decoder.weight", "rnn.weight"], NearestNames.Find("encodr.weight", ["rnn.weight", "decoder.weight", "encoder.weight", "something else"]));

    [Fact]
    public void Ignores_case() => Assert.Equal("low-rank", NearestNames.Find("LOW-RANK", ["quantize", "low-rank"])[0]);

    [Fact]
    public void Says_nothing_without_candidates() => Assert.Equal("", NearestNames.Hint("x", []));
}
