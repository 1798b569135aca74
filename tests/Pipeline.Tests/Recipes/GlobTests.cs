using Condense.Pipeline.Recipes;
using Xunit;

namespace Condense.Pipeline.Tests.Recipes;

public sealed class GlobTests
{
    [Theory]
    [InlineData("encoder.weight", "encoder.weight", true)]
    [InlineData("encoder.weight", "encoder.weights", false)]
    [InlineData("*", "", true)]
    [InlineData("*", "anything/at all", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("encoder.*", "encoder.", true)]
    [InlineData("encoder.*", "encoder", false)]
    [InlineData("*.weight", "a.weight.weight", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("a*b*c", "a1b2b3c", true)]
    [InlineData("a*b*c", "a1c2b", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("[ab]", "[ab]", true)]
    [InlineData("A*", "abc", false)]
    public void Covers_what_it_says(string pattern, string name, bool expected) => Assert.Equal(expected, Glob.Matches(pattern, name));

    [Fact]
    public void Many_stars_on_a_long_name_do_not_explode() =>
        Assert.False(Glob.Matches(string.Concat(Enumerable.Repeat("a*", 200)) + "b", new string('a', 20_000)));
}
