using Condense.Execution.OnnxRuntime;
using Condense.Execution.Tests.OnnxRuntime;
using Condense.Models;
using Condense.Models.Rewriting.Opsets;
using Xunit;

namespace Condense.Execution.Tests.Rewriting.Opsets;

/// <summary>Small models in ONNX Runtime, as they are and in higher opsets.</summary>
public sealed class OpsetConversionTests
{
    // Those in which the meaning of some operator changed, and the newest.
    private static readonly long[] s_targets = [9, 10, 11, 12, 13, 14, 16, 18, 20, 21, OpsetConversion.Newest];

    public static TheoryData<string> Cases() => [.. OperatorCases.All.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_model_computes_the_same_in_every_higher_opset(string name)
    {
        var library = RuntimeLibrary.Require();
        var token = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var one = OperatorCases.All[name];
        using var model = one.Build(TestModel.Create(one.Opset, OpsetConversion.IrVersionOf(one.Opset) + 1)).Build();
        string original = folder.File("original.onnx");
        await ModelWriter.WriteAsync(model, original, token);
        var expected = RuntimeOutputs.Of(library, original, OptimisationLevel.Disabled);
        Assert.NotEmpty(expected);
        foreach (long target in s_targets.Where(target => target > one.Opset && target <= one.NewestRun))
        {
            using var converted = OpsetConversion.Convert(model, target);
            string path = folder.File($"{target}.onnx");
            await ModelWriter.WriteAsync(converted, path, token);
            using var read = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
            Assert.Equal(target, read.Program!.Opset);
            RuntimeOutputs.AssertEqual(expected, RuntimeOutputs.Of(library, path, OptimisationLevel.Disabled), $"opset {target}");
        }
    }
}
