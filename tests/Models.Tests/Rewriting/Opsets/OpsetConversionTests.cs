using System.Runtime.InteropServices;
using System.Text;
using Condense.Models.Graph;
using Condense.Models.Rewriting.Opsets;
using Condense.Models.Tensors;
using Condense.Models.Tests.Formats.Onnx;
using Xunit;

namespace Condense.Models.Tests.Rewriting.Opsets;

/// <summary>What stays, what goes along, and what is refused when a model's opset is raised. That the result computes the same is tested in ONNX Runtime.</summary>
public sealed class OpsetConversionTests : IDisposable
{
    private static readonly NodeAttribute s_axes = new() { Name = "axes", Kind = AttributeKind.Ints, Ints = [0] };

    private readonly ModelFolder _folder = new();

    public static TheoryData<string, long, Node[], string> Refusals => new()
    {
        { "a batch of scans", 8, [Make("Scan", "x", "y")], "n_y' (Scan) can't be converted from opset 8 to 9" },
        { "statistics of places", 7, [Make("BatchNormalization", "x s b m v", "y", Int("spatial", 0))], "spatial = 0" },
        { "outputs of training", 9, [Make("BatchNormalization", "x s b m v", "y mean")], "outputs of training" },
        { "a mask that is used", 7, [Make("Dropout", "x", "y mask"), Make("Neg", "mask", "z")], "mask is used" },
        { "places as TensorFlow numbers them", 11, [Make("Resize", "x _ s", "y", Text("coordinate_transformation_mode", "tf_half_pixel_for_nn"))], "tf_half_pixel_for_nn" },
        { "an unknown type", 10, [Make("Clip", "unknown", "y", Number("min", 0))], "type of 'unknown' is not known" },
        { "an operator of later times", 11, [Make("Gelu", "x", "y")], "(Gelu) can't be converted from opset 11 to 21: opset 11 has no operator of that name" },
        { "an operator of nobody", 11, [Make("Magic", "x", "y")], "(Magic)" },
        { "a setting of the caller", 12, [Make("Squeeze", "x", "y", new NodeAttribute { Name = "axes", Kind = AttributeKind.Ints, Reference = "where" })], "given by the caller" },
        { "a lacking setting", 9, [Make("Slice", "x", "y")], "lacks the setting 'starts'" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Refusals), DisableDiscoveryEnumeration = true)]
    public void What_has_no_faithful_form_is_refused_by_name(string what, long opset, Node[] nodes, string words)
    {
        Assert.NotEmpty(what);
        using var model = MakeModel(opset, nodes);
        var exception = Assert.Throws<ModelFormatException>(() => OpsetConversion.Convert(model, 21));
        Assert.Equal(ModelFormatError.UnsupportedOperator, exception.Code);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_graphs_are_refused()
    {
        using var model = MakeModel(11, [Make("Relu", "x", "y")]);
        model.Program!.Unknown = [0xA2, 0x01, 0x00];
        var exception = Assert.Throws<ModelFormatException>(() => OpsetConversion.Convert(model, 13));
        Assert.Contains("training graphs", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(26)]
    public void An_opset_below_the_model_s_or_above_all_is_out_of_range(long opset)
    {
        using var model = MakeModel(11, [Make("Relu", "x", "y")]);
        Assert.Throws<ArgumentOutOfRangeException>(() => OpsetConversion.Convert(model, opset));
    }

    [Fact]
    public async Task The_original_is_not_touched_and_the_same_model_gives_the_same_bytes()
    {
        using var model = MakeModel(11, [Make("Softmax", "x", "p", Int("axis", 0)), Make("Squeeze", "p", "y", s_axes)]);
        byte[] before = await Bytes(model);
        byte[] converted = await Bytes(OpsetConversion.Convert(model, 21));
        Assert.Equal(before, await Bytes(model));
        Assert.Equal(converted, await Bytes(OpsetConversion.Convert(model, 21)));
        Assert.NotEqual(before, converted);
        Assert.Equal(before, await Bytes(OpsetConversion.Convert(model, 11)));
    }

    [Theory]
    [InlineData(3, 7, 8, 3)]
    [InlineData(3, 7, 13, 7)]
    [InlineData(8, 11, 13, 8)]
    [InlineData(8, 11, 21, 10)]
    [InlineData(8, 11, 25, 13)]
    public void The_file_s_version_rises_as_far_as_the_opset_needs(long irVersion, long from, long to, long expected)
    {
        using var model = MakeModel(from, [Make("Relu", "x", "y")], irVersion);
        using var converted = OpsetConversion.Convert(model, to);
        Assert.Equal(expected, converted.Program!.IrVersion);
        Assert.Equal(to, converted.Program.Opset);
    }

    [Fact]
    public void Initializers_are_no_inputs_of_newer_files()
    {
        using var model = MakeModel(7, [Make("Add", "x w", "y")], irVersion: 3);
        model.Program!.Main.Initializers.Add(new Initializer(new Tensor("w", DType.F32, new TensorShape(3), new MemoryTensorData(new byte[12]))));
        model.Program.Main.Inputs.Add(new ValueInfo { Name = "w", DType = DType.F32, Shape = [new Dimension(3, "")] });
        using var near = OpsetConversion.Convert(model, 8);
        Assert.Equal(["x", "w"], near.Program!.Main.Inputs.Select(input => input.Name));
        using var far = OpsetConversion.Convert(model, 9);
        Assert.Equal(["x"], far.Program!.Main.Inputs.Select(input => input.Name));
        Assert.Equal(["w"], far.Program.Main.Initializers.Select(initializer => initializer.Tensor.Name));
    }

    [Fact]
    public void Functions_are_converted_from_their_own_opset()
    {
        using var model = MakeModel(13, [Make("Mine", "x", "y", domain: "own")], irVersion: 8);
        var program = model.Program!;
        program.Opsets.Add("own", 1);
        var body = new ModelGraph();
        body.Nodes.Add(Make("Squeeze", "a", "b", s_axes));
        var function = new GraphFunction { Name = "Mine", Domain = "own", Body = body };
        function.Inputs.Add("a");
        function.Outputs.Add("b");
        function.Opsets.Add("", 11);
        program.Functions.Add(function);
        using var converted = OpsetConversion.Convert(model, 18);
        var result = Assert.Single(converted.Program!.Functions);
        Assert.Equal(18, result.Opsets[""]);
        Assert.Equal(["Constant", "Squeeze"], result.Body.Nodes.Select(node => node.OpType));
        Assert.Empty(result.Body.Initializers);
        Assert.Equal(1, converted.Program.Opsets["own"]);
    }

    [Fact]
    public void Operators_of_other_domains_are_left_alone()
    {
        using var model = MakeModel(11, [Make("Squeeze", "x", "s", domain: "com.example", attributes: s_axes), Make("Squeeze", "s", "y", s_axes)]);
        model.Program!.Opsets.Add("com.example", 3);
        using var converted = OpsetConversion.Convert(model, 13);
        var nodes = converted.Program!.Main.Nodes;
        Assert.Equal(["com.example.Squeeze", ".Constant", ".Squeeze"], nodes.Select(node => $"{node.Domain}.{node.OpType}"));
        Assert.NotNull(nodes[0].Attribute("axes"));
        Assert.Null(nodes[2].Attribute("axes"));
        Assert.Equal(3, converted.Program.Opsets["com.example"]);
    }

    [Fact]
    public void New_names_are_none_that_the_model_has()
    {
        using var model = MakeModel(11, [Make("Neg", "x", "numbers.0"), Make("Abs", "numbers.0", "a"), Make("Squeeze", "a", "b", s_axes), Make("Squeeze", "b", "y", s_axes)]);
        using var converted = OpsetConversion.Convert(model, 13);
        string[] outputs = [.. converted.Program!.Main.Nodes.SelectMany(node => node.Outputs)];
        Assert.Equal(outputs.Distinct(StringComparer.Ordinal), outputs);

        // One constant serves both.
        Assert.Equal(["Neg", "Abs", "Constant", "Squeeze", "Squeeze"], converted.Program.Main.Nodes.Select(node => node.OpType));
        Assert.Equal([0], MemoryMarshal.Cast<byte, long>(Read(Assert.Single(converted.Tensors))).ToArray());
    }

    [Fact]
    public void A_mask_that_nothing_reads_is_gone_with_its_description()
    {
        using var model = MakeModel(7, [Make("Dropout", "x", "y mask")]);
        model.Program!.Main.Values.Add(new ValueInfo { Name = "mask", DType = DType.F32 });
        using var converted = OpsetConversion.Convert(model, 12);
        Assert.Equal(["y"], Assert.Single(converted.Program!.Main.Nodes).Outputs);
        Assert.Empty(converted.Program.Main.Values);
    }

    [Fact]
    public void Numbers_of_a_clip_have_the_type_that_is_clipped()
    {
        using var model = MakeModel(7, [Make("Cast", "x", "h", Int("to", 10)), Make("Relu", "h", "r"), Make("Clip", "r", "y", Number("min", -1e6f), Number("max", 1.5f))]);
        using var converted = OpsetConversion.Convert(model, 11);
        Assert.All(converted.Tensors, tensor => Assert.Equal(DType.F16, tensor.DType));
        Assert.Equal([float.NegativeInfinity, 1.5f], converted.Tensors.Select(tensor => (float)BitConverter.ToHalf(Read(tensor))));
    }

    private static byte[] Read(Tensor tensor)
    {
        byte[] bytes = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, bytes);
        return bytes;
    }

    private static Model MakeModel(long opset, Node[] nodes, long irVersion = 8)
    {
        var main = new ModelGraph { Name = "main" };
        main.Inputs.Add(new ValueInfo { Name = "x", DType = DType.F32, Shape = [new Dimension(1, ""), new Dimension(3, "")] });
        main.Outputs.Add(new ValueInfo { Name = "y", DType = DType.F32 });
        main.Nodes.AddRange(nodes);
        var program = new GraphProgram { IrVersion = irVersion, Main = main };
        program.Opsets.Add("", opset);
        return new Model(ModelFormat.Onnx, [], program, new Dictionary<string, string>(StringComparer.Ordinal), []);
    }

    private static Node Make(string opType, string inputs, string outputs, params NodeAttribute[] attributes) => Make(opType, inputs, outputs, "", attributes);

    private static Node Make(string opType, string inputs, string outputs, string domain, params NodeAttribute[] attributes)
    {
        var node = new Node { Name = "n_" + outputs.Split(' ')[0], OpType = opType, Domain = domain };
        node.Inputs.AddRange(inputs.Split(' ').Select(name => name.TrimStart('_')));
        node.Outputs.AddRange(outputs.Split(' '));
        node.Attributes.AddRange(attributes);
        return node;
    }

    private static NodeAttribute Int(string name, long value) => new() { Name = name, Kind = AttributeKind.Int, Ints = [value] };

    private static NodeAttribute Number(string name, float value) => new() { Name = name, Kind = AttributeKind.Float, Floats = [value] };

    private static NodeAttribute Text(string name, string value) => new() { Name = name, Kind = AttributeKind.String, Strings = [[.. Encoding.UTF8.GetBytes(value)]] };

    private async Task<byte[]> Bytes(Model model)
    {
        string path = _folder.PathOf("model.onnx");
        await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);
        return await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
    }
}
