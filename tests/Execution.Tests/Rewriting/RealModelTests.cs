using System.Numerics.Tensors;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Execution.OnnxRuntime;
using Condense.Execution.Tests.OnnxRuntime;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Published models in which every weight that takes factors gets them at once.</summary>
public sealed class RealModelTests(ITestOutputHelper output) : IDisposable
{
    private const int Rank = 4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("models/ppocr/ch_PP-OCRv4_det_infer.onnx", WeightRole.Conv)]
    [InlineData("models/ppocr/ch_PP-OCRv4_rec_infer.onnx", WeightRole.Conv, WeightRole.Linear, WeightRole.Attention, WeightRole.Softmax)]
    [InlineData("models/ppocr/ch_ppocr_mobile_v2.0_cls_infer.onnx", WeightRole.Conv)]
    [InlineData("models/gtcrn/gtcrn_simple.onnx", WeightRole.Conv, WeightRole.Linear, WeightRole.GruInput)]
    public async Task Factors_everywhere_compute_as_their_products_do(string file, params WeightRole[] roles)
    {
        string path = SharedData.Require(file);
        var library = RuntimeLibrary.Require();
        var random = new Random(5);
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var layers = LayerFinder.Find(model)
            .Where(layer => layer.Role != WeightRole.Other && Math.Min(layer.Rows, layer.Columns) > Rank && ModelRewriter.Supports(model, layer, Factors(layer)))
            .ToList();
        Assert.Equal(roles.Order(), layers.Select(layer => layer.Role).Distinct().Order());
        var structures = layers.ConvertAll(layer => Make(layer, random));

        // The same numbers as factors and as plain weights.
        using var factored = Rewrite(model, layers, structures);
        using var dense = Rewrite(model, layers, structures.ConvertAll(structure => (StructuredMatrix)new DenseMatrix(structure.ToDense(), FloatFormat.F32)));
        await ModelWriter.WriteAsync(factored, _folder.File("factored.onnx"), TestContext.Current.CancellationToken);
        await ModelWriter.WriteAsync(dense, _folder.File("dense.onnx"), TestContext.Current.CancellationToken);
        var comparison = OutputComparison.Compare(
            library, _folder.File("dense.onnx"), _folder.File("factored.onnx"), new Dictionary<string, long>(StringComparer.Ordinal), seed: 1);
        Assert.Null(comparison.Problem);
        output.WriteLine($"{layers.Count} layers: {comparison.RelativeUnoptimised:E2} unoptimised, {comparison.RelativeDefault:E2} by default");

        // Sums in another order, through dozens of layers; a wrong factor anywhere makes a difference of the order of 1.
        Assert.Equal(0, comparison.RelativeUnoptimised, 1e-3);
        Assert.Equal(0, comparison.RelativeDefault, 1e-3);
    }

    private static ProductForm Factors(Layer layer)
        => new(new DenseForm(layer.Rows, Rank, FloatFormat.F32), new DenseForm(Rank, layer.Columns, FloatFormat.F32));

    // Random factors whose product is as large as the weight was, so that what flows through the model keeps its size.
    private static ProductMatrix Make(Layer layer, Random random)
    {
        var product = (ProductMatrix)StructureCases.Random(Factors(layer), random);
        float scale = TensorPrimitives.Norm<float>(WeightReader.Read(layer).Values) / TensorPrimitives.Norm<float>(product.ToDense().Values);
        float[] left = [.. product.Left.ToDense().Values.Select(value => value * scale)];
        return new ProductMatrix(new DenseMatrix(new Matrix(layer.Rows, Rank, left), FloatFormat.F32), product.Right);
    }

    private static Model Rewrite(Model model, List<Layer> layers, IReadOnlyList<StructuredMatrix> structures)
        => ModelRewriter.Rewrite(model, [.. layers.Zip(structures, (layer, structure) =>
        {
            var data = StructureTensors.Write(structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
            return new CompressedLayer(layer, structure.Form, suffix => data[suffix], "test");
        })]);
}
