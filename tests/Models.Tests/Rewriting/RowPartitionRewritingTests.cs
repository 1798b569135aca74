using System.Collections.Immutable;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

/// <summary>Blocks of rows in files of both formats; W is 6×10.</summary>
public sealed class RowPartitionRewritingTests : IDisposable
{
    private static readonly DenseForm s_half = new(2, 10, FloatFormat.F16);

    private static readonly RowPartitionForm s_withFactors = new([
        s_half, new ProductForm(new DenseForm(4, 2, FloatFormat.F16), new QuantizedForm(2, 10, 8, true, QuantizationGranularity.PerTensor))], permuted: true);

    private static readonly ImmutableSortedDictionary<string, RowPartitionForm> s_forms = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, [
        KeyValuePair.Create("f16, int8", new RowPartitionForm([s_half, new QuantizedForm(4, 10, 8, true, QuantizationGranularity.PerRow)])),
        KeyValuePair.Create("f32, f16", new RowPartitionForm([new DenseForm(4, 10, FloatFormat.F32), s_half])),
        KeyValuePair.Create("groups, columns, bf16", new RowPartitionForm([
            new QuantizedForm(3, 10, 8, false, QuantizationGranularity.PerGroup, 4),
            new QuantizedForm(1, 10, 8, false, QuantizationGranularity.PerColumn),
            new DenseForm(2, 10, FloatFormat.BF16)])),
        KeyValuePair.Create("in another order", new RowPartitionForm([s_half, new DenseForm(4, 10, FloatFormat.F32)], permuted: true)),
        KeyValuePair.Create("factors in another order", s_withFactors),
    ]);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("condense-");

    public static TheoryData<string, ModelFormat, bool> Files { get; } =
    [
        .. from name in s_forms.Keys
           from format in (ModelFormat[])[ModelFormat.Safetensors, ModelFormat.Onnx]
           from transposed in (bool[])[false, true]
           where format == ModelFormat.Safetensors || transposed || !name.StartsWith("factors", StringComparison.Ordinal)
           select (name, format, transposed),
    ];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_written_partition_is_found_again_bit_for_bit(string name, ModelFormat format, bool transposed)
    {
        using var model = MakeModel(format, transposed);
        await AssertFoundAgain(model, Fill(s_forms[name]), transposed);
    }

    [Fact]
    public void The_bits_of_the_tensors_are_the_storage_bits()
    {
        foreach (var form in s_forms.Values)
        {
            Assert.Equal(form.StorageBits, StructureTensors.Slots(form).Sum(slot => slot.Shape.ElementCount * slot.DType.BitsPerElement()));
            Assert.Equal(form.StorageBits, 8 * StructureTensors.Write(Fill(form), "w").Sum(tensor => tensor.Data.ByteLength));
        }
    }

    [Fact]
    public void Names_tell_the_block()
    {
        Assert.Equal(
            ["w.rp0 F16 2×10", "w.rp1.q I8 4×10", "w.rp1.scale F32 4"], Describe(s_forms["f16, int8"]));
        Assert.Equal(
            ["w.gr_perm I32 6", "w.rp0 F16 2×10", "w.gr_u1 F16 4×2", "w.gr_v1.q I8 2×10", "w.gr_v1.scale F32 1"], Describe(s_withFactors));

        static IEnumerable<string> Describe(RowPartitionForm form) => StructureTensors.Write(Fill(form), "w").Select(tensor => $"{tensor.Name} {tensor.DType} {tensor.Shape}");
    }

    [Fact]
    public void Rows_are_gathered_from_the_blocks_codes_and_then_chosen()
    {
        using var model = MakeModel(ModelFormat.Onnx, transposed: false);
        model.Program!.Main.Nodes[0] = MakeNode("Gather", "w x", "y");
        using var rewritten = Rewrite(model, Fill(s_forms["f16, int8"]), transposed: false);
        var main = rewritten.Program!.Main;
        foreach (string stored in (string[])["w.rp0", "w.rp1.q", "w.rp1.scale"])
        {
            Assert.Equal("Gather", Assert.Single(main.Nodes, node => node.Inputs.Contains(stored)).OpType);
        }

        Assert.Equal(("Where", "y_node", "y"), (main.Nodes[^1].OpType, main.Nodes[^1].Name, main.Nodes[^1].Outputs[0]));
    }

    [Fact]
    public void A_block_of_the_wanted_type_is_joined_as_it_is()
    {
        using var model = MakeModel(ModelFormat.Onnx, transposed: true);
        using var rewritten = Rewrite(model, Fill(s_forms["f32, f16"]), transposed: true);
        Assert.Equal(["Cast", "Concat", "MatMul"], rewritten.Program!.Main.Nodes.Select(node => node.OpType));
        var concat = rewritten.Program.Main.Nodes[1];
        Assert.Equal("w.rp0", concat.Inputs[0]);
        Assert.Equal([1L], concat.Attribute("axis")!.Ints);
        Assert.Equal("w", concat.Outputs[0]);
    }

    [Theory]
    [InlineData("Gather", 8, false, false)]
    [InlineData("Gather", 9, false, true)]
    [InlineData("Gather", 17, true, false)]
    [InlineData("MatMul", 7, true, true)]
    [InlineData("MatMul", 6, true, false)]
    public void Rows_are_looked_up_from_opset_9_and_not_across(string opType, long opset, bool transposed, bool expected)
    {
        using var model = MakeModel(ModelFormat.Onnx, transposed);
        model.Program!.Opsets[""] = opset;
        model.Program.Main.Nodes[0] = MakeNode(opType, opType is "Gather" ? "w x" : "x w", "y");
        Assert.Equal(expected, ModelRewriter.Supports(model, FindLayer(model, transposed), s_forms["f16, int8"]));
    }

    [Fact]
    public void Old_opsets_have_no_bfloat16_in_any_block()
    {
        using var model = MakeModel(ModelFormat.Onnx, transposed: true);
        model.Program!.Opsets[""] = 12;
        Assert.False(ModelRewriter.Supports(model, FindLayer(model, transposed: true), s_forms["groups, columns, bf16"]));
        model.Program.Opsets[""] = 13;
        Assert.True(ModelRewriter.Supports(model, FindLayer(model, transposed: true), s_forms["groups, columns, bf16"]));
    }

    [Fact]
    public void What_nests_deeper_is_not_supported()
    {
        using var file = MakeModel(ModelFormat.Safetensors, transposed: false);
        using var graph = MakeModel(ModelFormat.Onnx, transposed: false);
        using var turned = MakeModel(ModelFormat.Onnx, transposed: true);
        var within = new RowPartitionForm([new RowPartitionForm([s_half, s_half]), s_half]);
        var factor = new ProductForm(new RowPartitionForm([new DenseForm(2, 3, FloatFormat.F16), new DenseForm(4, 3, FloatFormat.F32)]), new DenseForm(3, 10, FloatFormat.F16));
        Assert.False(ModelRewriter.Supports(file, FindLayer(file, transposed: false), within));
        Assert.False(ModelRewriter.Supports(file, FindLayer(file, transposed: false), factor));
        Assert.True(ModelRewriter.Supports(file, FindLayer(file, transposed: false), s_withFactors));

        // x·W sums over W's rows: their order would have to be undone in x.
        Assert.False(ModelRewriter.Supports(graph, FindLayer(graph, transposed: false), s_withFactors));
        Assert.True(ModelRewriter.Supports(turned, FindLayer(turned, transposed: true), s_withFactors));
    }

    [Fact]
    public void Places_that_are_not_each_rows_once_are_the_files_fault()
    {
        var data = StructureTensors.Write(Fill(s_withFactors), "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        data[".gr_perm"] = new MemoryTensorData(new byte[] { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0 });
        var exception = Assert.Throws<ModelFormatException>(() => StructureTensors.Read(s_withFactors, suffix => data[suffix]));
        Assert.Contains("Row 5 has place 4", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 10, 4, 10, "blocks of layer 'w'")]
    [InlineData(6, 10, 3, 10, "blocks of layer 'w'")]
    [InlineData(6, 10, 4, 9, "equally wide")]
    [InlineData(6, 10, 0, 10, "no rows")]
    public void Metadata_whose_blocks_do_not_make_the_matrix_is_the_files_fault(int rows, int columns, int blockRows, int blockColumns, string said)
    {
        string text = $$$"""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[{{{rows}}},{{{columns}}}],"transposed":false,"method":"m","form":{"structure":"rowPartition","blocks":[{"structure":"dense","rows":2,"columns":10,"format":"f16"},{"structure":"dense","rows":{{{blockRows}}},"columns":{{{blockColumns}}},"format":"f16"}],"rows":{{{rows}}},"columns":{{{columns}}}}}]}""";
        using var model = new Model(
            ModelFormat.Safetensors, [MakeWeight(false)], null, new Dictionary<string, string>(StringComparer.Ordinal) { ["condense"] = text }, []);
        var exception = Assert.Throws<ModelFormatException>(() => ModelRewriter.FindStructured(model));
        Assert.Contains(said, exception.Message, StringComparison.Ordinal);
    }

    private async Task AssertFoundAgain(Model model, StructuredMatrix structure, bool transposed)
    {
        using var rewritten = Rewrite(model, structure, transposed);
        using var sized = ModelRewriter.Rewrite(model, [new CompressedLayer(FindLayer(model, transposed), structure.Form, null, "test")]);
        string path = Path.Combine(_folder.FullName, model.Format == ModelFormat.Onnx ? "model.onnx" : "model.safetensors");
        await ModelWriter.WriteAsync(rewritten, path, TestContext.Current.CancellationToken);
        Assert.Equal(new FileInfo(path).Length, ModelWriter.Measure(sized));
        using var read = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var found = Assert.Single(ModelRewriter.FindStructured(read));
        Assert.Equal(structure.Form, found.Form);
        Assert.Equal(transposed, found.Transposed);
        Assert.Equal(StructureTensors.Slots(structure.Form).Select(slot => "w" + slot.Suffix), found.TensorNames);
        Assert.Equal(structure.ToDense().Values, StructureTensors.Read(found.Form, found.Data).ToDense().Values);
    }

    /// <summary>A structure of a form, its numbers drawn from a seed.</summary>
    private static StructuredMatrix Fill(StructureForm form, int seed = 1)
    {
        var random = new Random(seed);
        switch (form)
        {
            case RowPartitionForm partition:
                return new RowPartitionMatrix([.. partition.Blocks.Select((block, g) => Fill(block, seed + g + 1))], partition.Permuted ? [3, 1, 4, 0, 5, 2] : null);
            case ProductForm product:
                return new ProductMatrix(Fill(product.Left, seed + 1), Fill(product.Right, seed + 2));
            case QuantizedForm quantized:
                byte[] codes = new byte[form.ParameterCount];
                random.NextBytes(codes);
                codes.AsSpan().Replace((byte)0x80, (byte)0);
                byte[] zeros = new byte[quantized.Symmetric ? 0 : quantized.ScaleCount];
                random.NextBytes(zeros);
                return new QuantizedMatrix(quantized, codes, [.. Enumerable.Range(0, (int)quantized.ScaleCount).Select(_ => random.NextSingle() + 0.1f)], zeros);
            default:
                float[] values = [.. Enumerable.Range(0, (int)form.ParameterCount).Select(_ => random.NextSingle() - 0.5f)];
                return new DenseMatrix(new Matrix(form.Rows, form.Columns, values), ((DenseForm)form).Format);
        }
    }

    private static Model Rewrite(Model model, StructuredMatrix structure, bool transposed)
    {
        var data = StructureTensors.Write(structure, "").ToDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        return ModelRewriter.Rewrite(model, [new CompressedLayer(FindLayer(model, transposed), structure.Form, suffix => data[suffix], "test")]);
    }

    private static Layer FindLayer(Model model, bool transposed)
        => LayerFinder.Find(model).Single() with { Rows = 6, Columns = 10, Transposed = transposed };

    private static Tensor MakeWeight(bool transposed)
        => new("w", DType.F32, transposed ? new TensorShape(10, 6) : new TensorShape(6, 10), new MemoryTensorData(new byte[240]));

    private static Node MakeNode(string opType, string inputs, string output)
    {
        var node = new Node { Name = output + "_node", OpType = opType };
        node.Inputs.AddRange(inputs.Split(' '));
        node.Outputs.Add(output);
        return node;
    }

    private static Model MakeModel(ModelFormat format, bool transposed)
    {
        var weight = MakeWeight(transposed);
        GraphProgram? program = null;
        if (format == ModelFormat.Onnx)
        {
            program = new GraphProgram { IrVersion = 8, Main = new ModelGraph { Name = "test" } };
            program.Opsets.Add("", 17);
            program.Main.Initializers.Add(new Initializer(weight));
            program.Main.Nodes.Add(MakeNode("MatMul", "x w", "y"));
        }

        return new Model(format, [weight], program, new Dictionary<string, string>(StringComparer.Ordinal), []);
    }
}
