using Condense.Models.Formats.Onnx;
using Condense.Models.Tensors;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class HostileEncodingTests : IDisposable
{
    // ir_version, which every file here begins with, takes two bytes.
    private const int Start = 2;

    private readonly ModelFolder _folder = new();

    /// <summary>What follows the version, the error, and its offset.</summary>
    public static TheoryData<string, byte[], ModelFormatError, long> Broken => new()
    {
        { "a start-group tag", [0x0B], ModelFormatError.InvalidEncoding, Start },
        { "an end-group tag", [0x0C], ModelFormatError.InvalidEncoding, Start },
        { "wire type 6", [0x0E], ModelFormatError.InvalidEncoding, Start },
        { "wire type 7", [0x0F], ModelFormatError.InvalidEncoding, Start },
        { "field number 0", [0x02, 0], ModelFormatError.InvalidEncoding, Start },
        { "a field number of more than 29 bits", [0x80, 0x80, 0x80, 0x80, 0x10, 0], ModelFormatError.InvalidEncoding, Start },
        { "a tag of eleven bytes", [.. Enumerable.Repeat((byte)0x88, 10), 0], ModelFormatError.InvalidEncoding, Start },
        { "an integer of eleven bytes", [0x28, .. Enumerable.Repeat((byte)0x80, 10), 0], ModelFormatError.InvalidEncoding, Start + 1 },
        { "an integer of 65 bits", [0x28, .. Enumerable.Repeat((byte)0xFF, 9), 0x02], ModelFormatError.InvalidEncoding, Start + 1 },
        { "a tag that is cut", [0x92], ModelFormatError.Truncated, Start },
        { "an integer that is cut", [0x28, 0xFF], ModelFormatError.Truncated, Start + 1 },
        { "an integer that is absent", [0x28], ModelFormatError.Truncated, Start + 1 },
        { "a 32-bit field that is cut", [0xF5, 0x06, 1, 2, 3], ModelFormatError.Truncated, Start + 2 },
        { "a 64-bit field that is cut", [0xF1, 0x06, 1, 2, 3, 4, 5, 6, 7], ModelFormatError.Truncated, Start + 2 },
        { "a text that is cut", [0x12, 3, (byte)'a', (byte)'b'], ModelFormatError.Truncated, Start },
        { "a graph that is cut", [0x3A, 0x7F, 0x12, 0], ModelFormatError.Truncated, Start },
        { "a length of 2⁶³", [0x3A, .. Enumerable.Repeat((byte)0x80, 9), 0x01], ModelFormatError.Truncated, Start },
        { "a length of 2⁶⁴−1", [0x3A, .. Enumerable.Repeat((byte)0xFF, 9), 0x01], ModelFormatError.Truncated, Start },
        { "an unknown field that is cut", [0xF2, 0x06, 0x7F, 0], ModelFormatError.Truncated, Start },
        { "a field that passes the end of its message", [0x3A, 2, 0x12, 2, (byte)'a', (byte)'b'], ModelFormatError.InvalidEncoding, Start + 2 },
        { "an integer that passes the end of its message", [0x42, 2, 0x10, 0x88, 0x01], ModelFormatError.InvalidEncoding, Start + 3 },
        { "a tag that passes the end of its message", [0x42, 1, 0x90, 0x01, 0x09], ModelFormatError.InvalidEncoding, Start + 2 },
        { "a name that is not UTF-8", [0x12, 2, 0xC3, 0x28], ModelFormatError.InvalidEncoding, Start + 2 },
        { "a surrogate in a name", [0x12, 3, 0xED, 0xA0, 0x80], ModelFormatError.InvalidEncoding, Start + 2 },
        { "an integer where text belongs", [0x10, 1], ModelFormatError.InvalidEncoding, Start },
        { "text where an integer belongs", [0x2A, 1, 1], ModelFormatError.InvalidEncoding, Start },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_encoding_is_refused_with_its_place(string what, byte[] rest, ModelFormatError code, long offset)
    {
        var error = _folder.Refused(new ProtoMessage().Int(1, 8).Raw(rest).ToArray());

        Assert.True(error.Code == code, $"{what} gave {error.Code}: {error.Message}");
        Assert.Equal(offset, error.Offset);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        byte[] whole = OnnxSamples.RichModel().ToArray();
        string path = _folder.Write("whole.onnx", whole);
        for (int length = whole.Length - 1; length >= 0; length--)
        {
            using (var stream = File.OpenWrite(path))
            {
                stream.SetLength(length);
            }

            // Where a field ends the rest may still be a model.
            try
            {
                OnnxReader.Read(ModelParts.Single(path), ReadLimits.Default).Dispose();
                Assert.True(EndsAtField(whole, length), $"read a file of {whole.Length} bytes cut to {length}");
            }
            catch (ModelFormatException error)
            {
                Assert.InRange(error.Offset ?? -1, 0, length);
            }
        }
    }

    [Theory]
    [InlineData("", ModelFormatError.EmptyFile)]
    [InlineData("Hello, this is a text.\n", ModelFormatError.InvalidEncoding)]
    [InlineData("{\"format\": \"json\"}", ModelFormatError.InvalidEncoding)]
    public void A_file_that_is_no_model_is_refused(string text, ModelFormatError code) =>
        Assert.Equal(code, _folder.Refused(System.Text.Encoding.UTF8.GetBytes(text)).Code);

    [Fact]
    public void Subgraphs_nested_a_thousand_times_are_too_deep()
    {
        var graph = GraphOf();
        for (int i = 0; i < 1000; i++)
        {
            graph = GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", graph)));
        }

        var error = _folder.Refused(ModelOf(graph));
        Assert.Equal(ModelFormatError.TooDeep, error.Code);
        Assert.InRange(error.Offset!.Value, 100, 1500);

        Assert.Equal(ModelFormatError.TooDeep, _folder.Refused(ModelOf(GraphOf()).Message(20, new ProtoMessage().Message(2, graph))).Code);
    }

    [Fact]
    public void The_depth_limit_counts_messages()
    {
        // Model, graph, node, attribute, graph, node: six.
        var model = ModelOf(GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", GraphOf(Node("Identity", ["a"], ["b"]))))));

        _folder.Read(model, new ReadLimits { Depth = 6 }).Dispose();
        Assert.Equal(ModelFormatError.TooDeep, _folder.Refused(model, new ReadLimits { Depth = 5 }).Code);
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(9, 1)]
    [InlineData(5, 2)]
    public void Types_nested_a_thousand_times_are_too_deep(int outerField, int innerField)
    {
        var type = new ProtoMessage();
        for (int i = 0; i < 1000; i++)
        {
            type = new ProtoMessage().Message(outerField, new ProtoMessage().Message(innerField, type));
        }

        var value = new ProtoMessage().Text(1, "x").Message(2, type);
        Assert.Equal(ModelFormatError.TooDeep, _folder.Refused(ModelOf(GraphOf().Message(11, value))).Code);

        var attribute = new ProtoMessage().Text(1, "type").Message(14, type).Int(20, 13);
        Assert.Equal(ModelFormatError.TooDeep, _folder.Refused(ModelOf(GraphOf(Node("Optional", [], ["y"], "", attribute)))).Code);
    }

    [Fact]
    public void More_items_than_the_limit_are_refused()
    {
        var limits = new ReadLimits { Items = 3 };
        var node = Node("Relu", ["x"], [""]);
        _folder.Read(ModelOf(GraphOf(node, node, node)), limits).Dispose();

        AssertLimited("nodes", ModelOf(GraphOf(node, node, node, node)), limits);
        AssertLimited("tensors", ModelOf(GraphOf().Messages(5, [.. Enumerable.Range(0, 4).Select(i => FloatTensor($"t{i}", 1))])), limits);
        AssertLimited("values", ModelOf(GraphOf().Messages(11, [.. Enumerable.Range(0, 4).Select(i => Value($"v{i}"))])), limits);
        AssertLimited(
            "operator sets",
            ModelOf(GraphOf()).Messages(8, [.. Enumerable.Range(0, 3).Select(i => new ProtoMessage().Text(1, $"d{i}").Int(2, 1))]),
            limits);
        AssertLimited(
            "attributes", ModelOf(GraphOf(Node("Op", [], [], "", [.. Enumerable.Range(0, 4).Select(i => IntAttribute($"a{i}", 1))]))), limits);
    }

    [Fact]
    public void A_longer_name_than_the_limit_is_refused()
    {
        var limits = new ReadLimits { NameBytes = 8 };
        _folder.Read(ModelOf(GraphOf(Node("12345678", ["x"], ["y"]))), limits).Dispose();

        AssertLimited("name", ModelOf(GraphOf(Node("123456789", ["x"], ["y"]))), limits);
        AssertLimited("name", ModelOf(GraphOf().Message(5, FloatTensor("123456789", 1))), limits);
    }

    [Fact]
    public void More_structure_than_the_limit_is_refused_before_it_is_in_memory()
    {
        var limits = new ReadLimits { StructureBytes = 100_000 };
        AssertLimited("structure", ModelOf(GraphOf()).Text(6, new string('x', 60_000)), limits);
        AssertLimited("structure", ModelOf(GraphOf()).Bytes(99, new byte[200_000]), limits);
        AssertLimited("structure", ModelOf(GraphOf([.. Enumerable.Repeat(new ProtoMessage(), 1000)])), limits);
        AssertLimited("structure", ModelOf(GraphOf(Node("Op", [.. Enumerable.Repeat("", 10_000)], []))), limits);

        AssertLimited("structure", ModelOf(GraphOf()).Messages(14, [.. Enumerable.Repeat(new ProtoMessage(), 2000)]), limits);

        // Elements of tensors are not structure.
        _folder.Read(ModelOf(GraphOf().Message(5, FloatTensor("w", 1000, 1000))), limits).Dispose();
    }

    [Fact]
    public void A_declared_size_is_never_allocated()
    {
        byte[] model = new ProtoMessage().Int(1, 8).Raw(0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x07).ToArray();
        string path = _folder.Write("model.onnx", model);
        Assert.Throws<ModelFormatException>(() => OnnxReader.Read(ModelParts.Single(path), ReadLimits.Default));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelFormatException>(() => OnnxReader.Read(ModelParts.Single(path), ReadLimits.Default));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    private void AssertLimited(string word, ProtoMessage model, ReadLimits limits)
    {
        var error = _folder.Refused(model, limits);

        Assert.Equal(ModelFormatError.LimitExceeded, error.Code);
        Assert.Contains(word, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Offset);
    }

    private static bool EndsAtField(byte[] model, int length)
    {
        var reader = new WireReader(new MemoryTensorData(model), new ReadBudget(ReadLimits.Default));
        while (reader.Position < length && reader.TryReadTag())
        {
            reader.Skip();
        }

        return reader.Position == length;
    }
}
