using Condense.Models.Graph;
using Condense.Models.Tensors;
using static Condense.Execution.Tests.TestModel;

namespace Condense.Execution.Tests.Rewriting.Opsets;

/// <summary>Every operator whose conversion does something, and those whose versions differ in ways that must not matter.</summary>
internal static class OperatorCases
{
    private static readonly string[] s_reductions =
        ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"];

    public static IReadOnlyDictionary<string, OperatorCase> All { get; } = Axes().Concat(Softmaxes()).Concat(Settings()).Concat(Resizes()).Concat(Pools())
        .Concat(Normalizations()).Concat(Others()).Concat(Subgraphs())
        .ToDictionary(one => one.Name, StringComparer.Ordinal);

    private static IEnumerable<OperatorCase> Axes()
    {
        yield return new("Squeeze by axes", 7, model => Unary(model, "Squeeze", 3, [1, 3, 1, 2, 4], Ints("axes", 0, 2)));
        yield return new("Squeeze of negative axes", 11, model => Unary(model, "Squeeze", 3, [1, 3, 1, 2], Ints("axes", -2)));
        yield return new("Squeeze of all", 11, model => Unary(model, "Squeeze", 2, [1, 3, 1, 2]));
        yield return new("Unsqueeze", 7, model => Unary(model, "Unsqueeze", 4, [2, 3], Ints("axes", 0, 3)));
        yield return new("Unsqueeze at negative axes", 11, model => Unary(model, "Unsqueeze", 4, [2, 3], Ints("axes", -1, 1)));
        foreach (string reduction in s_reductions)
        {
            // The absolute value first, for the sake of logarithms.
            yield return new($"{reduction} of axes", 7, model => Reduced(model, reduction, 2, Ints("axes", 0, 2), Int("keepdims", 0)));
            yield return new($"{reduction} of all", 7, model => Reduced(model, reduction, 4));
            yield return new($"{reduction} of a negative axis", 13, model => Reduced(
                model, reduction, 4, reduction is "ReduceSum" ? Int("keepdims", 1) : Ints("axes", -1)));
        }
    }

    private static IEnumerable<OperatorCase> Softmaxes()
    {
        foreach (string softmax in (string[])["Softmax", "LogSoftmax", "Hardmax"])
        {
            yield return new($"{softmax} as it is by default", 7, model => Unary(model, softmax, 3, [2, 3, 4]));
            yield return new($"{softmax} of the last axis", 7, model => Unary(model, softmax, 3, [2, 3, 4], Int("axis", 2)));
            yield return new($"{softmax} of everything", 7, model => Unary(model, softmax, 3, [2, 3, 4], Int("axis", 0)));
            yield return new($"{softmax} of a negative axis", 11, model => Unary(model, softmax, 3, [2, 3, 4], Int("axis", -2)));
            yield return new($"{softmax} of nothing", 11, model => Unary(model, softmax, 3, [2, 0, 4], Int("axis", 1)));
            yield return new($"{softmax} of an unknown rank", 11, model => model.Input("x", DType.F32, 2, 3, 4).Output("y", DType.F32, 3)
                .Node("Relu", "x", "r").Node(softmax, "r", "y", Int("axis", 2)));
        }
    }

    private static IEnumerable<OperatorCase> Settings()
    {
        yield return new("Clip on both sides", 7, model => Unary(model, "Clip", 2, [5, 7], Float("min", -0.5f), Float("max", 0.25f)));
        yield return new("Clip from below", 7, model => Unary(model, "Clip", 2, [5, 7], Float("min", -0.5f)));
        yield return new("Clip from above, behind other nodes", 10, model => model.Input("x", DType.F32, 5, 7).Output("y", DType.F32, 2)
            .Node("Relu", "x", "r").Node("Clip", "r", "y", Float("max", 0.5f)));
        yield return new("Clip of nothing", 7, model => Unary(model, "Clip", 2, [5, 7]));
        yield return new("Clip of inputs", 11, model => Unary(model.Initializer(Floats("least", new TensorShape(), [0.1f])), "Clip", 2, [5, 7], "x least"));
        yield return new("Slice", 7, model => Unary(model, "Slice", 3, [5, 7, 3], Ints("starts", 1, 2), Ints("ends", 4, -1)));
        yield return new("Slice of axes", 7, model => Unary(model, "Slice", 3, [5, 7, 3], Ints("starts", -3, 0), Ints("ends", long.MaxValue, 1000), Ints("axes", 1, 2)));
        yield return new("Pad by a constant", 7, model => Unary(model, "Pad", 2, [3, 4], Ints("pads", 1, 0, 2, 3), Float("value", 1.5f)));
        yield return new("Pad by zero", 7, model => Unary(model, "Pad", 2, [3, 4], Ints("pads", 1, 0, -1, 3)));
        yield return new("Pad by reflection", 7, model => Unary(model, "Pad", 2, [3, 4], Ints("pads", 1, 2, 2, 0), Text("mode", "reflect"), Float("value", 3f)));
        yield return new("Pad by edges", 7, model => Unary(model, "Pad", 2, [3, 4], Ints("pads", 1, 2, 2, 0), Text("mode", "edge")));
        yield return new("TopK", 7, model => model.Input("x", DType.F32, 4, 9).Output("y", DType.F32, 2).Output("places", DType.I64, 2)
            .Node("TopK", "x", "y places", Int("k", 3), Int("axis", 1)));
        yield return new("TopK of an input", 10, model => model.Input("x", DType.F32, 4, 9).Output("y", DType.F32, 2).Output("places", DType.I64, 2)
            .Initializer(Longs("k", new TensorShape(1), 3)).Node("TopK", "x k", "y places"));
        yield return new("Split evenly", 7, model => Split(model, "x"));
        yield return new("Split evenly, newer", 13, model => Split(model, "x"));
        yield return new("Split in sizes", 7, model => Split(model, "x", Ints("split", 1, 5)));
        yield return new("Split in sizes of an input", 13, model => Split(model.Initializer(Longs("sizes", new TensorShape(2), 2, 4)), "x sizes"));
        yield return new("Dropout", 7, model => Unary(model, "Dropout", 2, [3, 4], Float("ratio", 0.3f)));
        yield return new("Dropout as it is by default", 10, model => Unary(model, "Dropout", 2, [3, 4]));
        yield return new("Dropout with a mask that nothing reads", 7, model => model.Input("x", DType.F32, 3, 4).Output("y", DType.F32, 2)
            .Node("Dropout", "x", "y mask", Float("ratio", 0.3f)));
        yield return new("Scatter", 9, model => Unary(
            model.Initializer(Longs("places", new TensorShape(2, 2), 0, 1, 2, 0)).Initializer(Floats("news", new TensorShape(2, 2), [1, 2, 3, 4])),
            "Scatter", 2, [3, 3], "x places news", Int("axis", 1)));
        foreach (string mode in (string[])["bilinear", "bicubic", "nearest"])
        {
            yield return new($"GridSample, {mode}", 16, model => Grid(model, Text("mode", mode)));
        }

        yield return new("GridSample as it is by default", 16, model => Grid(model));
        yield return new("DFT as it is by default", 17, model => Unary(model, "DFT", 4, [2, 5, 4, 1]));
        yield return new("DFT of an axis", 17, model => Unary(model, "DFT", 4, [2, 5, 4, 2], Int("axis", 2), Int("inverse", 1)));
        yield return new("DFT of one side and a length", 17, model => Unary(
            model.Initializer(Longs("length", new TensorShape(), 6)), "DFT", 3, [2, 5, 1], "x length", Int("onesided", 1)));
        yield return new("RoiAlign", 10, model => model.Input("x", DType.F32, 1, 2, 8, 8).Output("y", DType.F32, 4)
            .Initializer(Floats("rois", new TensorShape(2, 4), [0, 0, 5, 5, 1.5f, 2, 7, 6.5f])).Initializer(Longs("batch", new TensorShape(2), 0, 0))
            .Node("RoiAlign", "x rois batch", "y", Int("output_height", 3), Int("output_width", 3), Int("sampling_ratio", 2)), NewestRun: 21);
    }

    private static IEnumerable<OperatorCase> Resizes()
    {
        foreach (string mode in (string[])["nearest", "linear"])
        {
            yield return new($"Upsample by a setting, {mode}", 7, model => Unary(model, "Upsample", 4, [1, 2, 3, 4], Text("mode", mode), Floats("scales", 1, 1, 2, 3)));
            yield return new($"Upsample by a constant, {mode}", 9, model => Scaled(model, "Upsample", mode, 1, 1, 2.5f, 2));
            yield return new($"Resize to more, {mode}", 10, model => Scaled(model, "Resize", mode, 1, 1, 2.3f, 1));
            yield return new($"Resize to less, {mode}", 10, model => Scaled(model, "Resize", mode, 1, 1, 0.6f, 0.7f));
            yield return new($"Resize to both, {mode}", 10, model => Scaled(model, "Resize", mode, 1, 1, 0.6f, 1.7f));
            yield return new($"Resize by what is computed, {mode}", 10, model => model.Input("x", DType.F32, 1, 2, 5, 6).Output("y", DType.F32, 4)
                .Initializer(Floats("half", new TensorShape(4), [0.5f, 0.5f, 1.1f, 0.4f])).Node("Add", "half half", "scales")
                .Node("Resize", "x scales", "y", Text("mode", mode)));
            yield return new($"Resize to a size, {mode}", 11, model => model.Input("x", DType.F32, 1, 2, 5, 6).Output("y", DType.F32, 4)
                .Initializer(Floats("none", new TensorShape(0), [])).Initializer(Longs("size", new TensorShape(4), 1, 2, 8, 3))
                .Node("Resize", "x none none size", "y", Text("mode", mode), Text("coordinate_transformation_mode", "align_corners")));
        }

        yield return new("Resize by cubes", 11, model => model.Input("x", DType.F32, 1, 2, 5, 6).Output("y", DType.F32, 4)
            .Initializer(Floats("none", new TensorShape(0), [])).Initializer(Floats("scales", new TensorShape(4), [1, 1, 1.5f, 0.75f]))
            .Node("Resize", "x none scales", "y", Text("mode", "cubic")));
    }

    private static IEnumerable<OperatorCase> Pools()
    {
        foreach (string pool in (string[])["MaxPool", "AveragePool", "LpPool"])
        {
            yield return new($"{pool}", 7, model => Unary(model, pool, 4, [1, 2, 7, 8], Ints("kernel_shape", 3, 2), Ints("strides", 2, 2), Ints("pads", 1, 0, 1, 1)));
        }

        yield return new("MaxPool of more", 10, model => Unary(
            model, "MaxPool", 4, [1, 2, 7, 8], Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Int("ceil_mode", 1), Ints("dilations", 2, 1)));
        yield return new("AveragePool of more", 10, model => Unary(
            model, "AveragePool", 4, [1, 2, 7, 8], Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Int("ceil_mode", 1)));
        yield return new("AveragePool with padding counted", 7, model => Unary(
            model, "AveragePool", 4, [1, 2, 7, 8], Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1), Int("count_include_pad", 1)));
        yield return new("AveragePool with padding counted, rounded up", 10, model => Unary(
            model, "AveragePool", 4, [1, 2, 8, 8], Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Ints("pads", 0, 1, 1, 1), Int("count_include_pad", 1), Int("ceil_mode", 1)));
        yield return new("MaxPool rounded up beyond the padding", 10, model => Unary(
            model, "MaxPool", 4, [1, 2, 4, 4], Ints("kernel_shape", 1, 2), Ints("strides", 2, 3), Ints("pads", 0, 1, 0, 1), Int("ceil_mode", 1)));
        yield return new("AveragePool of the same size", 7, model => Unary(
            model, "AveragePool", 4, [1, 2, 7, 8], Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Text("auto_pad", "SAME_UPPER")));
        yield return new("GlobalAveragePool", 7, model => Unary(model, "GlobalAveragePool", 4, [1, 2, 7, 8]));
        yield return new("ConvTranspose", 7, model => Unary(
            model.Initializer(Floats("w", new TensorShape(2, 3, 3, 3), [.. Enumerable.Range(0, 54).Select(i => (float)Math.Sin(i))])),
            "ConvTranspose", 4, [1, 2, 4, 4], "x w", Ints("strides", 2, 2), Text("auto_pad", "SAME_UPPER")));
    }

    private static IEnumerable<OperatorCase> Normalizations()
    {
        yield return new("BatchNormalization", 7, model => Unary(
            Channels(model), "BatchNormalization", 4, [2, 3, 4, 4], "x s b m v", Float("epsilon", 1e-3f), Int("spatial", 1)));
        yield return new("BatchNormalization, newer", 9, model => Unary(Channels(model), "BatchNormalization", 4, [2, 3, 4, 4], "x s b m v"));
        yield return new("InstanceNormalization", 7, model => Unary(Channels(model), "InstanceNormalization", 4, [2, 3, 4, 4], "x s b"));
        yield return new("GroupNormalization", 18, model => Unary(Channels(model), "GroupNormalization", 4, [2, 6, 4, 4], "x s b", Int("num_groups", 3)));
        yield return new("LRN", 7, model => Unary(model, "LRN", 4, [1, 6, 4, 4], Int("size", 3)));
        yield return new("MeanVarianceNormalization", 9, model => Unary(model, "MeanVarianceNormalization", 4, [1, 6, 4, 4]));
    }

    private static IEnumerable<OperatorCase> Others()
    {
        yield return new("ArgMax", 7, model => model.Input("x", DType.F32, 4, 5).Output("y", DType.I64, 2).Node("ArgMax", "x", "y", Int("axis", 1)));
        yield return new("OneHot", 9, model => model.Input("x", DType.I64, 4).Output("y", DType.F32, 2)
            .Initializer(Longs("depth", new TensorShape(), 3)).Initializer(Floats("values", new TensorShape(2), [0, 1])).Node("OneHot", "x depth values", "y"));
        yield return new("NonMaxSuppression", 10, model => model.Input("scores", DType.F32, 1, 1, 3).Output("y", DType.I64, 2)
            .Initializer(Floats("boxes", new TensorShape(1, 3, 4), [0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 10, 1, 11]))
            .Initializer(Longs("most", new TensorShape(1), 3)).Initializer(Floats("overlap", new TensorShape(1), [0.5f]))
            .Node("NonMaxSuppression", "boxes scores most overlap", "y"));
        foreach (var (recurrent, gates) in ((string, int)[])[("LSTM", 4), ("GRU", 3), ("RNN", 1)])
        {
            yield return new(recurrent, 7, model => Unary(
                model.Initializer(Floats("w", new TensorShape(1, gates * 3, 5), [.. Enumerable.Range(0, gates * 15).Select(i => (float)Math.Sin(i))]))
                    .Initializer(Floats("r", new TensorShape(1, gates * 3, 3), [.. Enumerable.Range(0, gates * 9).Select(i => (float)Math.Cos(i))])),
                recurrent, 4, [4, 2, 5], "x w r", Int("hidden_size", 3)));
        }

        yield return new("Gather of constants", 7, model => model.Input("x", DType.I64, 4).Output("y", DType.F32, 2)
            .Constant(Floats("table", new TensorShape(2, 3), [1, 2, 3, 4, 5, 6]), "t").Node("Gather", "t x", "y"));
        yield return new("Gemm", 7, model => Unary(
            model.Initializer(Floats("w", new TensorShape(4, 3), [.. Enumerable.Range(0, 12)])).Initializer(Floats("c", new TensorShape(3), [1, 2, 3])),
            "Gemm", 2, [5, 4], "x w c", Float("alpha", 0.5f)));
        yield return new("Quantization of tensors", 10, model => Quantized(model));
        yield return new("Quantization of tensors, newer", 13, model => Quantized(model));
        yield return new("Flatten and Reshape", 7, model => model.Input("x", DType.F32, 2, 3, 4).Output("y", DType.F32, 2)
            .Initializer(Longs("shape", new TensorShape(3), 0, -1, 2)).Node("Reshape", "x shape", "r").Node("Flatten", "r", "y", Int("axis", 2)));
        yield return new("Cast, Equal and Where", 9, model => model.Input("x", DType.F32, 3, 4).Output("y", DType.F32, 2)
            .Node("Cast", "x", "i", Int("to", 7)).Node("Equal", "i i", "same").Node("Neg", "x", "n").Node("Where", "same n x", "y"));
        yield return new("Max, Sum and Pow with broadcasting", 8, model => model.Input("x", DType.F32, 3, 4).Input("z", DType.F32, 4).Output("y", DType.F32, 2)
            .Node("Max", "x z", "m").Node("Sum", "m x z", "s").Node("Pow", "s s", "p").Node("Abs", "p", "y"));
        yield return new("Elu, Selu and PRelu", 7, model => model.Input("x", DType.F32, 3, 4).Output("y", DType.F32, 2)
            .Initializer(Floats("slope", new TensorShape(4), [0.1f, 0.2f, 0.3f, 0.4f])).Node("Elu", "x", "e").Node("Selu", "e", "s").Node("PRelu", "s slope", "y"));
        yield return new("HardSwish", 14, model => Unary(model, "HardSwish", 2, [3, 4]));
        yield return new("CumSum", 11, model => Unary(model.Initializer(Longs("axis", new TensorShape(), 1)), "CumSum", 2, [3, 4], "x axis", Int("reverse", 1)));
        yield return new("LayerNormalization", 17, model => Unary(
            model.Initializer(Floats("w", new TensorShape(4), [1, 2, 3, 4])), "LayerNormalization", 2, [3, 4], "x w"));
    }

    private static IEnumerable<OperatorCase> Subgraphs()
    {
        yield return new("If with axes in both branches", 11, model =>
        {
            model.Input("which", DType.Bool).Input("x", DType.F32, 2, 3).Output("y", DType.F32, 3);
            var yes = model.Subgraph("yes").Output("a", DType.F32, 3).Node("Unsqueeze", "x", "a", Ints("axes", 0));
            var no = model.Subgraph("no").Output("b", DType.F32, 3).Node("Unsqueeze", "x", "u", Ints("axes", 2)).Node("Softmax", "u", "b");
            return model.Node("If", "which", "y", Graphs("then_branch", yes), Graphs("else_branch", no));
        });
        yield return new("Loop with clipping inside", 10, model =>
        {
            model.Input("x", DType.F32, 2, 3).Output("y", DType.F32, 2).Initializer(Longs("times", new TensorShape(), 3));
            var body = model.Subgraph("body").Input("i", DType.I64).Input("c", DType.Bool).Input("s", DType.F32, 2, 3).Output("go", DType.Bool, 0).Output("t", DType.F32, 2)
                .Node("Identity", "c", "go").Node("Clip", "s", "k", Float("max", 0.5f)).Node("ReduceSum", "k", "r", Ints("axes", 1)).Node("Add", "k r", "t");
            return model.Node("Loop", "times _ x", "y", Graphs("body", body));
        });
    }

    private static TestModel Unary(TestModel model, string opType, int rank, ReadOnlySpan<long> shape, params ReadOnlySpan<NodeAttribute> attributes) =>
        Unary(model, opType, rank, shape, "x", attributes);

    private static TestModel Unary(TestModel model, string opType, int rank, ReadOnlySpan<long> shape, string inputs, params ReadOnlySpan<NodeAttribute> attributes) =>
        model.Input("x", DType.F32, shape).Output("y", DType.F32, rank).Node(opType, inputs, "y", attributes);

    private static TestModel Reduced(TestModel model, string reduction, int rank, params ReadOnlySpan<NodeAttribute> attributes) =>
        model.Input("x", DType.F32, 2, 3, 4, 2).Output("y", DType.F32, rank).Node("Abs", "x", "a").Node(reduction, "a", "y", attributes);

    private static TestModel Split(TestModel model, string inputs, params ReadOnlySpan<NodeAttribute> attributes) =>
        model.Input("x", DType.F32, 2, 6).Output("y", DType.F32, 2).Output("z", DType.F32, 2).Node("Split", inputs, "y z", [Int("axis", 1), .. attributes]);

    private static TestModel Grid(TestModel model, params ReadOnlySpan<NodeAttribute> attributes) =>
        model.Input("x", DType.F32, 1, 2, 4, 5).Input("grid", DType.F32, 1, 3, 3, 2).Output("y", DType.F32, 4).Node("GridSample", "x grid", "y", attributes);

    private static TestModel Scaled(TestModel model, string opType, string mode, params ReadOnlySpan<float> scales) =>
        model.Input("x", DType.F32, 1, 2, 5, 6).Output("y", DType.F32, 4).Initializer(Floats("scales", new TensorShape(4), scales))
            .Node(opType, "x scales", "y", Text("mode", mode));

    private static TestModel Channels(TestModel model) => model
        .Initializer(Floats("s", new TensorShape(3), [1, 2, 3])).Initializer(Floats("b", new TensorShape(3), [0.5f, -1, 0]))
        .Initializer(Floats("m", new TensorShape(3), [0.1f, 0.2f, -0.3f])).Initializer(Floats("v", new TensorShape(3), [1, 0.5f, 2]));

    private static TestModel Quantized(TestModel model) => model.Input("x", DType.F32, 3, 4).Output("y", DType.F32, 2)
        .Initializer(Floats("scale", new TensorShape(), [0.05f]))
        .Initializer(new Tensor("zero", DType.U8, new TensorShape(), new MemoryTensorData(new byte[] { 128 })))
        .Node("QuantizeLinear", "x scale zero", "q").Node("DequantizeLinear", "q scale zero", "y");
}
