using Condense.Execution.OnnxRuntime;
using Condense.Execution.Tests.OnnxRuntime;
using Condense.Models;
using Condense.Models.Rewriting.Opsets;
using Xunit;

namespace Condense.Execution.Tests.Rewriting.Opsets;

/// <summary>Models that others published, as they are and in higher opsets.</summary>
public sealed class PublishedModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("ppocr/ch_PP-OCRv4_rec_infer.onnx")]
    [InlineData("ppocr/ch_PP-OCRv4_det_infer.onnx")]
    [InlineData("ppocr/ch_ppocr_mobile_v2.0_cls_infer.onnx")]
    [InlineData("gtcrn/gtcrn_simple.onnx")]
    public async Task A_real_model_computes_the_same(string file)
    {
        var library = RuntimeLibrary.Require();
        string original = SharedData.Require("models", file);
        using var folder = new TemporaryFolder();
        using var model = ModelReader.Open(ModelParts.Single(original), ReadLimits.Default);
        foreach (long opset in (long[])[13, 17, 21, 25])
        {
            using var converted = OpsetConversion.Convert(model, opset);
            string path = folder.File($"{opset}.onnx");
            await ModelWriter.WriteAsync(converted, path, TestContext.Current.CancellationToken);
            var comparison = OutputComparison.Compare(library, original, path, new Dictionary<string, long>(StringComparer.Ordinal), seed: 7);
            output.WriteLine(FormattableString.Invariant($"{model.Program!.Opset} to {opset}: {comparison.RelativeUnoptimised:E2} unoptimised, {comparison.RelativeDefault:E2} by default; {new FileInfo(path).Length - new FileInfo(original).Length} bytes more"));
            Assert.Null(comparison.Problem);
            Assert.InRange(comparison.RelativeUnoptimised, 0, 1e-6);
            Assert.InRange(comparison.RelativeDefault, 0, 1e-5);
        }
    }

    /// <summary>What the runtime does not run in the model's own opset, or has no implementation of in the newer one, says nothing about the conversion.</summary>
    [Theory]
    [InlineData(13, 45)]
    [InlineData(18, 190)]
    [InlineData(21, 190)]
    [InlineData(25, 190)]
    public async Task Every_operator_test_of_onnx_computes_the_same(long opset, int fewest)
    {
        var library = RuntimeLibrary.Require();
        string data = SharedData.Require("golden", "onnx-backend");
        using var folder = new TemporaryFolder();
        var tally = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(data, "model.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string outcome = await CompareAsync(library, folder, file, opset);
            if (!tally.TryGetValue(outcome, out var names))
            {
                tally.Add(outcome, names = []);
            }

            names.Add(Path.GetFileName(Path.GetDirectoryName(file))!);
        }

        foreach (var (outcome, names) in tally)
        {
            output.WriteLine($"{names.Count} {outcome}: {string.Join(", ", names)}");
        }

        Assert.DoesNotContain(tally.Keys, outcome => outcome.StartsWith("different", StringComparison.Ordinal));
        Assert.DoesNotContain(tally.Keys, outcome => outcome.StartsWith("refused", StringComparison.Ordinal));
        Assert.InRange(tally["the same"].Count, fewest, int.MaxValue);
    }

    private static async Task<string> CompareAsync(OnnxRuntimeLibrary library, TemporaryFolder folder, string file, long opset)
    {
        Model model;
        try
        {
            model = ModelReader.Open(ModelParts.Single(file), ReadLimits.Default);
        }
        catch (ModelFormatException)
        {
            return "not read";
        }

        using (model)
        {
            if (model.Program!.Opset >= opset || model.Program.Opset == 0)
            {
                return "of that opset, or a newer one";
            }

            Model converted;
            try
            {
                converted = OpsetConversion.Convert(model, opset);
            }
            catch (ModelFormatException exception)
            {
                return $"refused: {exception.Message}";
            }

            string path = folder.File("converted.onnx");
            using (converted)
            {
                await ModelWriter.WriteAsync(converted, path, TestContext.Current.CancellationToken);
            }

            return Compare(library, folder, file, path);
        }
    }

    private static string Compare(OnnxRuntimeLibrary library, TemporaryFolder folder, string file, string converted)
    {
        IReadOnlyDictionary<string, RuntimeTensor> expected;
        try
        {
            expected = Run(library, folder, file, file);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or ModelFormatException or ArgumentException)
        {
            return "not run as they are";
        }

        IReadOnlyDictionary<string, RuntimeTensor> actual;
        try
        {
            actual = Run(library, folder, file, converted);
        }
        catch (OnnxRuntimeException exception) when (exception.Message.Contains("NOT_IMPLEMENTED", StringComparison.Ordinal)
            || exception.Message.Contains("Could not find an implementation", StringComparison.Ordinal))
        {
            return "without an implementation in the newer opset";
        }
        catch (OnnxRuntimeException exception)
        {
            return $"different: {Path.GetFileName(Path.GetDirectoryName(file))}: {exception.Message}";
        }

        bool same = expected.Count == actual.Count && OutputComparison.Difference(expected, actual) <= 1e-6
            && expected.Where(pair => !pair.Value.IsFloat).All(pair => pair.Value.Data.AsSpan().SequenceEqual(actual[pair.Key].Data));
        return same ? "the same" : $"different: {Path.GetFileName(Path.GetDirectoryName(file))}";
    }

    private static IReadOnlyDictionary<string, RuntimeTensor> Run(OnnxRuntimeLibrary library, TemporaryFolder folder, string file, string path)
    {
        using var session = new OnnxRuntimeSession(library, path, OptimisationLevel.Disabled, threads: 1);
        var inputs = new Dictionary<string, RuntimeTensor>(StringComparer.Ordinal);
        string values = Path.Combine(Path.GetDirectoryName(file)!, "test_data_set_0");
        for (int i = 0; i < session.Inputs.Length; i++)
        {
            inputs.Add(session.Inputs[i].Name, Read(folder, Path.Combine(values, $"input_{i}.pb")));
        }

        return session.Run(inputs);
    }

    /// <summary>A tensor that stands in a file of its own, read as the one initializer of a model.</summary>
    private static RuntimeTensor Read(TemporaryFolder folder, string file)
    {
        byte[] tensor = File.ReadAllBytes(file);
        byte[] graph = [0x2A, .. Varint(tensor.Length), .. tensor];
        string path = folder.File("tensor.onnx");
        File.WriteAllBytes(path, [0x08, 8, 0x3A, .. Varint(graph.Length), .. graph, 0x42, 2, 0x10, 17]);
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var read = model.Tensors.Single();
        byte[] bytes = new byte[read.Data.ByteLength];
        read.Data.Read(0, bytes);
        return new RuntimeTensor(read.DType, read.Shape, bytes);
    }

    private static byte[] Varint(int value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)((value & 0x7F) | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
