using Condense.Service.Problems;
using Xunit;

namespace Condense.Service.Tests.Problems;

public sealed class JsonPointerTests
{
    [Theory]
    [InlineData("$", "")]
    [InlineData(null, "")]
    [InlineData("$.target.ratio", "/target/ratio")]
    [InlineData("$.layers[12].match", "/layers/12/match")]
    [InlineData("$['a.b'].c", "/a.b/c")]
    [InlineData("$['a/b~c']", "/a~1b~0c")]
    public void A_path_becomes_a_pointer(string? path, string pointer) => Assert.Equal(pointer, JsonPointer.FromPath(path));
}
