using System.Globalization;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Execution.OnnxRuntime;
using Condense.Execution.Tests.OnnxRuntime;
using Condense.Models;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Models compressed and run in ONNX Runtime, beside the same models with the weight that the structure stands for.</summary>
public abstract class RewrittenModelTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    // W's rows are summed over, or the rank of the other input is not known, or the third input is scaled.
    private static readonly string[] s_withoutBlocksOfFactors =
        ["matmul, weight first", "matmul, weight first, batched", "tied, gather and matmul", "gemm transB", "gemm, weight first, both transposed"];

    /// <summary>Every structure in the place of every weight whose context is wanted.</summary>
    private protected static TheoryData<string, string> Cases(Func<WeightContext, bool> wanted) =>
        [.. from context in WeightContexts.All.Where(wanted) from structure in StructureCases.All.Keys select (context.Name, structure)];

    private protected async Task AssertComputesTheSame(string contextName, string structureName, params IEnumerable<int> opsets)
    {
        var library = RuntimeLibrary.Require();
        using var folder = new TemporaryFolder();
        var context = WeightContexts.All.Single(context => string.Equals(context.Name, contextName, StringComparison.Ordinal));
        var structure = StructureCases.Random(StructureCases.All[structureName](context.Rows, context.Columns), new Random(5));
        foreach (int opset in opsets.Where(opset => opset >= context.MinOpset))
        {
            // Types of 4 bits came with version 10 of the file's own format.
            using var model = context.Build(structure.ToDense(), opset, irVersion: opset >= 21 ? 10 : 8);
            var layer = context.FindLayer(model);
            bool supported = IsSupported(context, model, structure.Form, opset);
            Assert.Equal(supported, ModelRewriter.Supports(model, layer, structure.Form));
            if (!supported)
            {
                continue;
            }

            var tensors = StructureTensors.Write(structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
            using var rewritten = ModelRewriter.Rewrite(model, [new CompressedLayer(layer, structure.Form, suffix => tensors[suffix], "test")]);
            string original = folder.File("original.onnx");
            string result = folder.File("result.onnx");
            await ModelWriter.WriteAsync(model, original, TestContext.Current.CancellationToken);
            await ModelWriter.WriteAsync(rewritten, result, TestContext.Current.CancellationToken);
            Assert.Equal(new FileInfo(result).Length, ModelWriter.Measure(rewritten));

            double difference = Difference(library, context, original, result, opset, OptimisationLevel.Disabled);
            Assert.True(difference <= Tolerance, string.Create(CultureInfo.InvariantCulture, $"opset {opset}: relative difference {difference:E2}"));
            double byDefault = Difference(library, context, original, result, opset, OptimisationLevel.Default);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opset {opset}: {difference:E2} unoptimised, {byDefault:E2} by default"));
            AssertFound(result, context, structure);
            using var zeros = context.Build(new Matrix(structure.Rows, structure.Columns), opset, irVersion: opset >= 21 ? 10 : 8);
            string dense = folder.File("dense.onnx");
            await ExpandAsync(zeros, result, dense);
            if (layer.Constant is null && context.Type != DType.F64)
            {
                Assert.Equal(await File.ReadAllBytesAsync(original, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(dense, TestContext.Current.CancellationToken));
            }
            else
            {
                // Constant nodes are written anew, and structures hold no 64-bit floats.
                Assert.Equal(0, Difference(library, context, original, dense, opset, OptimisationLevel.Disabled));
            }
        }
    }

    // The graph that had other weights, with those that the structure stands for.
    private static async Task ExpandAsync(Model other, string compressed, string path)
    {
        using var read = ModelReader.Open(ModelParts.Single(compressed), ReadLimits.Default);
        using var dense = ModelRewriter.Expand(other, read);
        await ModelWriter.WriteAsync(dense, path, TestContext.Current.CancellationToken);
    }

    private static bool IsSupported(WeightContext context, Model model, StructureForm form, int opset) => form switch
    {
        ProductForm product => context.TakesFactors
            && (!LooksRowsUp(context, model) || context.Transposed || FillsBytes(product.Left, product.Left.Columns))
            && (!LooksRowsUp(context, model) || !context.Transposed || FillsBytes(product.Right, product.Right.Rows)),
        QuantizedForm { StoredBits: 3 or 5 or 6 } => false,
        QuantizedForm => !LooksRowsUp(context, model) || FillsBytes(form, context.Transposed ? form.Rows : form.Columns),
        DenseForm { Format: FloatFormat.BF16 } => opset >= 13,
        RowPartitionForm partition => partition.Blocks.All(block => IsSupported(context, model, block, opset))
            && (!LooksRowsUp(context, model) || (opset >= 9 && !context.Transposed))
            && (!partition.Blocks.Any(block => block is ProductForm) || !(context.WithoutBlocksOfFactors || s_withoutBlocksOfFactors.Contains(context.Name))),
        _ => true,
    };

    private static bool FillsBytes(StructureForm form, int rowLength) => form is not QuantizedForm { StoredBits: var bits } || rowLength * bits % 8 == 0;

    // Rows of a turned table are columns of the stored one: it is decoded instead.
    private static bool LooksRowsUp(WeightContext context, Model model) => model.Program!.AllGraphs().Any(graph => graph.Nodes.Exists(node =>
        node.Is("Gather") && node.Attribute("axis")?.Ints[0] != 1 && (!context.Transposed || string.Equals(node.Inputs[0], "W", StringComparison.Ordinal))));

    private static double Difference(OnnxRuntimeLibrary library, WeightContext context, string original, string result, int opset, OptimisationLevel level)
    {
        using var first = new OnnxRuntimeSession(library, original, level, threads: 1);
        using var second = new OnnxRuntimeSession(library, result, level, threads: 1);
        return context.MakeInputs(first, opset).Max(inputs => OutputComparison.Difference(first.Run(inputs), second.Run(inputs)));
    }

    private static void AssertFound(string path, WeightContext context, StructuredMatrix structure)
    {
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var found = Assert.Single(ModelRewriter.FindStructured(model));
        Assert.Equal(structure.Form, found.Form);
        Assert.Equal(new TensorShape(context.Shape), found.Shape);
        Assert.Equal(context.Type, found.DType);
        Assert.Equal(structure.ToDense().Values, StructureTensors.Read(found.Form, found.Data).ToDense().Values);
    }
}
