using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

public sealed class SafetensorsRewritingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("condense-");

    public static TheoryData<string> Names { get; } = [.. SampleStructures.Forms.Keys];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_written_structure_is_found_again_bit_for_bit(string name)
    {
        using var model = MakeModel(new Tensor("w", DType.F32, new TensorShape(6, 5, 2), new MemoryTensorData(new byte[240])));
        var structure = SampleStructures.Make(name);
        using var rewritten = Rewrite(model, structure);
        string path = Path.Combine(_folder.FullName, "model.safetensors");
        await ModelWriter.WriteAsync(rewritten, path, Cancelled);
        Assert.Equal(new FileInfo(path).Length, ModelWriter.Measure(rewritten));
        using var read = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var found = Assert.Single(ModelRewriter.FindStructured(read));
        Assert.Equal(("w", DType.F32, "test", false), (found.Name, found.DType, found.Method, found.Transposed));
        Assert.Equal(new TensorShape(6, 5, 2), found.Shape);
        Assert.Equal(StructureTensors.Slots(structure.Form).Select(slot => "w" + slot.Suffix), found.TensorNames);
        Assert.Equal(structure.ToDense().Values, StructureTensors.Read(found.Form, found.Data).ToDense().Values);
        Assert.Equal("kept", read.Metadata["other"]);
        byte[] bias = new byte[8];
        read.Tensors.Single(tensor => tensor.Name is "b").Data.Read(0, bias);
        Assert.Equal(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }, bias);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_size_is_known_before_the_numbers(string name)
    {
        using var model = MakeModel();
        var structure = SampleStructures.Make(name);
        using var sized = ModelRewriter.Rewrite(model, [new CompressedLayer(Layer(model), structure.Form, null, "test")]);
        string path = Path.Combine(_folder.FullName, "model.safetensors");
        using var rewritten = Rewrite(model, structure);
        await ModelWriter.WriteAsync(rewritten, path, Cancelled);
        Assert.Equal(new FileInfo(path).Length, ModelWriter.Measure(sized));
    }

    [Fact]
    public void A_dense_tensor_keeps_its_name_shape_and_orientation()
    {
        using var model = MakeModel(new Tensor("w", DType.F32, new TensorShape(10, 6), new MemoryTensorData(new byte[240])));
        var structure = SampleStructures.Make("f32");
        using var rewritten = Rewrite(model, structure, Layer(model) with { Rows = 6, Columns = 10, Transposed = true });
        var tensor = rewritten.Tensors.Single(tensor => tensor.Name is "w");
        Assert.Equal(new TensorShape(10, 6), tensor.Shape);
        byte[] bytes = new byte[240];
        tensor.Data.Read(0, bytes);
        Assert.Equal(structure.ToDense()[0, 1], MemoryMarshal.Cast<byte, float>(bytes)[6]);
        var found = ModelRewriter.FindStructured(rewritten).Single();
        Assert.Equal(structure.ToDense().Values, StructureTensors.Read(found.Form, found.Data).ToDense().Values);
    }

    [Fact]
    public void A_name_that_is_taken_is_left_alone()
    {
        using var model = MakeModel(new Tensor("w.q", DType.U8, new TensorShape(1), new MemoryTensorData(new byte[1])), MakeWeight());
        var structure = SampleStructures.Make("signed tensor");
        using var rewritten = Rewrite(model, structure);
        Assert.Equal(["w.q", "w.q_1", "w.scale", "b"], rewritten.Tensors.Select(tensor => tensor.Name));
        var found = ModelRewriter.FindStructured(rewritten).Single();
        Assert.Equal(["w.q_1", "w.scale"], found.TensorNames);
        Assert.Equal(structure.ToDense().Values, StructureTensors.Read(found.Form, found.Data).ToDense().Values);
    }

    [Fact]
    public void A_plain_model_has_no_structured_layers()
    {
        using var model = MakeModel();
        Assert.Empty(ModelRewriter.FindStructured(model));
    }

    [Fact]
    public void A_structure_of_another_size_is_refused()
    {
        using var model = MakeModel();
        var layer = Layer(model) with { Rows = 5, Columns = 12 };
        var exception = Assert.Throws<ArgumentException>(() => Rewrite(model, SampleStructures.Make("f16"), layer));
        Assert.Contains("5×12", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_that_is_named_twice_is_refused()
    {
        using var model = MakeModel();
        var layer = new CompressedLayer(Layer(model), SampleStructures.Forms["f16"], null, "test");
        Assert.Throws<ArgumentException>(() => ModelRewriter.Rewrite(model, [layer, layer]));
    }

    [Fact]
    public async Task Bytes_of_another_length_than_the_forms_are_our_fault()
    {
        using var model = MakeModel();
        using var rewritten = ModelRewriter.Rewrite(
            model, [new CompressedLayer(Layer(model), SampleStructures.Forms["f16"], _ => new MemoryTensorData(new byte[7]), "test")]);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => ModelWriter.WriteAsync(rewritten, Path.Combine(_folder.FullName, "model.safetensors"), Cancelled));
    }

    [Theory]
    [InlineData("nonsense", "can't be read")]
    [InlineData("""{"version":2,"layers":[]}""", "version 2")]
    [InlineData("""{"version":1,"layers":[null]}""", "null")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m"}]}""", "form")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,9],"transposed":false,"method":"m","form":{"structure":"dense","rows":6,"columns":10,"format":"f16"}}]}""", "6×9")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[-6,-10],"transposed":false,"method":"m","form":{"structure":"dense","rows":6,"columns":10,"format":"f16"}}]}""", "shape")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[0,10],"transposed":false,"method":"m","form":{"structure":"dense","rows":0,"columns":10,"format":"f16"}}]}""", "no rows")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"quantized","rows":6,"columns":10,"codeBits":7,"symmetric":true,"granularity":"perRow","groupSize":0}}]}""", "can't be read")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"quantized","rows":6,"columns":10,"codeBits":3,"storedBits":4,"symmetric":true,"granularity":"perRow","groupSize":0}}]}""", "can't be read")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"quantized","rows":6,"columns":10,"codeBits":3,"storedBits":3,"symmetric":true,"granularity":"perRow","groupSize":0}}]}""", "does not have")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[2147483647,2147483647],"transposed":false,"method":"m","form":{"structure":"quantized","rows":2147483647,"columns":2147483647,"codeBits":6,"symmetric":true,"granularity":"perRow","groupSize":0}}]}""", "does not have")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"product","left":{"structure":"dense","rows":5,"columns":2,"format":"f32"},"right":{"structure":"dense","rows":2,"columns":10,"format":"f32"},"rows":6,"columns":10}}]}""", "factors")]
    [InlineData("""{"version":1,"layers":[{"name":"v","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"dense","rows":6,"columns":10,"format":"f16"}}]}""", "does not have")]
    [InlineData("""{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"dense","rows":6,"columns":10,"format":"f16"}}]}""", "F32 6×10")]
    public void Metadata_that_contradicts_the_file_is_the_files_fault(string text, string said)
    {
        using var model = new Model(
            ModelFormat.Safetensors, [MakeWeight()], null, new Dictionary<string, string>(StringComparer.Ordinal) { ["condense"] = text }, []);
        var exception = Assert.Throws<ModelFormatException>(() => ModelRewriter.FindStructured(model));
        Assert.Contains(said, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_from_before_packed_codes_means_a_byte_for_each()
    {
        const string Text = """{"version":1,"layers":[{"name":"w","dtype":"F32","shape":[6,10],"transposed":false,"method":"m","form":{"structure":"quantized","codeBits":8,"symmetric":true,"granularity":"perTensor","groupSize":0,"rows":6,"columns":10}}]}""";
        using var model = new Model(
            ModelFormat.Safetensors,
            [new Tensor("w.q", DType.I8, new TensorShape(6, 10), new MemoryTensorData(new byte[60])), new Tensor("w.scale", DType.F32, new TensorShape(1), new MemoryTensorData(new byte[4]))],
            null,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["condense"] = Text },
            []);
        Assert.Equal(SampleStructures.Forms["signed tensor"], Assert.Single(ModelRewriter.FindStructured(model)).Form);
    }

    private static Tensor MakeWeight() => new("w", DType.F32, new TensorShape(6, 10), new MemoryTensorData(new byte[240]));

    private static Model MakeModel(params ReadOnlySpan<Tensor> weights) => new(
        ModelFormat.Safetensors,
        [.. weights.IsEmpty ? [MakeWeight()] : weights, new Tensor("b", DType.F32, new TensorShape(2), new MemoryTensorData(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }))],
        null,
        new Dictionary<string, string>(StringComparer.Ordinal) { ["other"] = "kept" },
        []);

    private static Layer Layer(Model model) => LayerFinder.Find(model).Single(layer => layer.Name is "w");

    private static Model Rewrite(Model model, Engine.Structures.StructuredMatrix structure, Layer? layer = null)
    {
        var data = StructureTensors.Write(structure, "").ToImmutableDictionary(tensor => tensor.Name, tensor => tensor.Data, StringComparer.Ordinal);
        return ModelRewriter.Rewrite(model, [new CompressedLayer(layer ?? Layer(model), structure.Form, suffix => data[suffix], "test")]);
    }
}
