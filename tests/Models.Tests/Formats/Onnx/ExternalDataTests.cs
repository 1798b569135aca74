using Condense.Models.Formats.Onnx;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class ExternalDataTests : IDisposable
{
    private readonly ModelFolder _folder = new();
    private readonly byte[] _part = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];

    public ExternalDataTests() => _folder.Write("weights.bin", _part);

    /// <summary>The places of a file that a tensor can stand in.</summary>
    public static TheoryData<string> Places =>
    [
        "initializer", "constant", "tensors of an attribute", "subgraph", "constant in a subgraph", "function", "sparse values", "sparse indices",
        "sparse attribute", "sparse in a subgraph",
    ];

    /// <summary>The places whose content is kept as it is.</summary>
    public static TheoryData<string> KeptPlaces => ["training information", "training subgraph", "attribute default of a function"];

    public static TheoryData<string> BadLocations =>
    [
        "", ".", "..", "../weights.bin", "a/../../weights.bin", "./weights.bin", "/etc/passwd", "/weights.bin", "weights.bin/", "C:weights.bin",
        "C:\\weights.bin", "\\\\host\\share\\weights.bin", "..\\weights.bin", "weights.bin:stream", "weights.bin\0", "file:///etc/passwd",
    ];

    public static TheoryData<string, string> BadNumbers => new()
    {
        { "offset", "-1" }, { "offset", "0x10" }, { "offset", "" }, { "offset", " 0" }, { "offset", "1e1" }, { "offset", "١" },
        { "offset", "9223372036854775808" }, { "offset", "99999999999999999999999" }, { "offset", "9223372036854775807" }, { "offset", "49" },
        { "offset", "64" }, { "offset", "65" }, { "length", "-16" }, { "length", "15" }, { "length", "17" }, { "length", "64" },
        { "length", "9223372036854775807" }, { "length", "18446744073709551616" }, { "length", "sixteen" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Elements_in_a_part_are_found_and_written_into_the_file(string place)
    {
        using var model = _folder.Read(In(place, External(("location", "weights.bin"), ("offset", "8"), ("length", "16"), ("checksum", "0"))));
        string path = _folder.PathOf("again.onnx");
        var paths = await OnnxWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);
        byte[] written = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);

        Assert.Single(paths);
        Assert.Equal(written.Length, OnnxWriter.Measure(model));
        Assert.True(written.AsSpan().IndexOf(_part.AsSpan(8, 16)) >= 0, "the elements are not in the file");
        Assert.False(written.AsSpan().IndexOf("weights.bin"u8) >= 0, "the part is still named");

        // Without the part, too, it is complete.
        using var again = OnnxReader.Read(ModelParts.Single(path), ReadLimits.Default);
        Assert.Equal(model.Tensors.Length, again.Tensors.Length);
        Assert.All(again.Tensors, tensor => Assert.Equal(16, tensor.Data.ByteLength));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void A_location_outside_the_parts_is_refused_in_every_place(string place)
    {
        foreach (string location in BadLocations.Select(row => row.Data))
        {
            AssertUnsafe(_folder.Refused(In(place, External(("location", location)))));
        }
    }

    [Theory]
    [MemberData(nameof(KeptPlaces))]
    public void What_is_kept_as_it_is_may_not_refer_to_parts_at_all(string place)
    {
        AssertUnsafe(_folder.Refused(In(place, External(("location", "weights.bin")))));

        // The same with the elements inside is fine.
        using var model = _folder.Read(In(place, FloatTensor("w", 2, 2)));
        Assert.Empty(model.Tensors);
    }

    [Theory]
    [MemberData(nameof(BadNumbers))]
    public void A_range_that_is_not_one_of_the_part_is_refused(string key, string value) =>
        AssertUnsafe(_folder.Refused(In("initializer", External(("location", "weights.bin"), (key, value)))));

    [Fact]
    public void Unknown_missing_and_repeated_keys_are_refused()
    {
        AssertUnsafe(_folder.Refused(In("initializer", External(("location", "weights.bin"), ("basepath", "/")))));
        AssertUnsafe(_folder.Refused(In("initializer", External(("location", "weights.bin"), ("Offset", "0")))));
        AssertUnsafe(_folder.Refused(In("initializer", External(("offset", "0")))));
        AssertUnsafe(_folder.Refused(In("initializer", External())));
        AssertUnsafe(_folder.Refused(In("initializer", External(("location", "weights.bin"), ("location", "weights.bin")))));
    }

    [Fact]
    public void The_last_bytes_of_a_part_may_be_used_and_not_one_more()
    {
        using var model = _folder.Read(In("initializer", External(("location", "weights.bin"), ("offset", "48"))));
        Assert.Equal(_part[48..], OnnxTensorTests.Bytes(model.Tensors[0]));

        AssertUnsafe(_folder.Refused(In("initializer", External(("location", "weights.bin"), ("offset", "49")))));
    }

    [Fact]
    public void A_part_that_was_not_given_is_missing()
    {
        var error = _folder.Refused(In("initializer", External(("location", "other.bin"))));

        Assert.Equal(ModelFormatError.MissingPart, error.Code);
        Assert.Equal("w", error.Tensor);
        Assert.Contains("'other.bin'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_beside_the_model_is_not_a_part()
    {
        using var elsewhere = new ModelFolder();
        elsewhere.Write("secret", _part);
        File.CreateSymbolicLink(_folder.PathOf("link.bin"), elsewhere.PathOf("secret"));

        Assert.Equal(ModelFormatError.MissingPart, _folder.Refused(In("initializer", External(("location", "link.bin")))).Code);
    }

    [Fact]
    public void External_and_own_elements_together_are_refused()
    {
        var both = External(("location", "weights.bin")).Bytes(9, new byte[16]);
        Assert.Equal(ModelFormatError.InvalidGraph, _folder.Refused(In("initializer", both)).Code);

        var text = TensorHeader("w", OnnxMessages.Text, 2, 2).Message(13, Entry("location", "weights.bin")).Int(14, 1);
        Assert.Equal(ModelFormatError.InvalidGraph, _folder.Refused(In("initializer", text)).Code);
    }

    [Fact]
    public void Entries_of_a_tensor_that_is_not_external_mean_nothing_and_are_dropped()
    {
        using var model = _folder.Read(In("initializer", FloatTensor("w", 2, 2).Message(13, Entry("location", "/etc/passwd"))));

        Assert.Equal(16, model.Tensors[0].Data.ByteLength);
        Assert.Empty(model.Program!.Main.Initializers[0].Unknown);
    }

    private static ProtoMessage External(params ReadOnlySpan<(string Key, string Value)> entries) => ExternalTensor("w", 2, 2, entries);

    private static ProtoMessage In(string place, ProtoMessage tensor)
    {
        var holder = GraphOf().Message(5, tensor);
        var constant = GraphOf(Node("Constant", [], ["w"], "", TensorAttribute("value", tensor)));
        var indices = TensorHeader("", I64, 2).PackedInts(7, 0, 1);
        var sparse = new ProtoMessage().Message(1, tensor).Message(2, indices).Ints(3, 4);
        return place switch
        {
            "initializer" => ModelOf(holder),
            "constant" => ModelOf(constant),
            "tensors of an attribute" =>
                ModelOf(GraphOf(Node("Op", [], ["y"], "", new ProtoMessage().Text(1, "list").Message(10, tensor).Int(20, 9)))),
            "subgraph" => ModelOf(GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", holder)))),
            "constant in a subgraph" => ModelOf(GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", constant)))),
            "function" => ModelOf(GraphOf()).Message(
                25, new ProtoMessage().Text(1, "f").Text(10, "d").Message(7, Node("Constant", [], ["w"], "", TensorAttribute("value", tensor)))),
            "sparse values" => ModelOf(GraphOf().Message(15, sparse)),
            "sparse indices" =>
                ModelOf(GraphOf().Message(15, new ProtoMessage().Message(1, FloatTensor("values", 2, 2)).Message(2, tensor).Ints(3, 4))),
            "sparse attribute" =>
                ModelOf(GraphOf(Node("Constant", [], ["y"], "", new ProtoMessage().Text(1, "sparse_value").Message(22, sparse).Int(20, 11)))),
            "sparse in a subgraph" =>
                ModelOf(GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", GraphOf().Message(15, sparse))))),
            "training information" => ModelOf(GraphOf()).Message(20, new ProtoMessage().Message(1, holder)),
            "training subgraph" => ModelOf(GraphOf()).Message(
                20, new ProtoMessage().Message(2, GraphOf(Node("If", ["c"], ["y"], "", GraphAttribute("then_branch", constant))))),
            "attribute default of a function" =>
                ModelOf(GraphOf()).Message(25, new ProtoMessage().Text(1, "f").Text(10, "d").Message(11, TensorAttribute("default", tensor))),
            _ => throw new ArgumentOutOfRangeException(nameof(place), place, "no such place"),
        };
    }

    private static void AssertUnsafe(ModelFormatException error)
    {
        Assert.Equal(ModelFormatError.UnsafeExternalData, error.Code);
        Assert.Equal("w", error.Tensor);
        Assert.NotNull(error.Offset);
    }
}
