using Xunit;

namespace Condense.Execution.Tests.Rewriting;

public sealed class DecodedWeightTests(ITestOutputHelper output) : RewrittenModelTests(output)
{
    public static TheoryData<string, string> All { get; } = Cases(context => !context.TakesFactors);

    public static TheoryData<string> Contexts { get; } = [.. WeightContexts.All.Where(context => !context.TakesFactors).Select(context => context.Name)];

    [Theory]
    [MemberData(nameof(All))]
    public Task A_weight_that_is_wanted_whole_computes_as_its_dense_form_does(string context, string structure)
        => AssertComputesTheSame(context, structure, 9, 11, 13, 17, 21);

    // The oldest and the newest opset: what differs from those between is covered by one structure of each kind.
    [Theory]
    [MemberData(nameof(Contexts))]
    public async Task The_oldest_and_the_newest_opset_compute_the_same(string context)
    {
        foreach (string structure in (string[])["F16", "int8 unsigned PerRow", "int8 signed groups of 8", "rows F16, int8", "int4 unsigned groups of 8", "int4 signed PerRow", "rows int4, int8, int2"])
        {
            await AssertComputesTheSame(context, structure, 7, 25);
        }
    }
}
