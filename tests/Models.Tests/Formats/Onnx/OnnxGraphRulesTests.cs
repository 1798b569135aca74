using Condense.Models.Graph;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class OnnxGraphRulesTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Names_given_twice_in_one_graph_are_refused()
    {
        var node = Node("Relu", ["x"], ["y"]);
        AssertRefused(ModelFormatError.InvalidGraph, "'y'", GraphOf(node, node));
        AssertRefused(ModelFormatError.InvalidGraph, "'y'", GraphOf(Node("Split", ["x"], ["y", "y"])));
        AssertRefused(ModelFormatError.InvalidGraph, "'y'", GraphOf(node).Message(11, Value("y")));
        AssertRefused(ModelFormatError.InvalidGraph, "'y'", new ProtoMessage().Message(11, Value("y")).Message(1, node));
        AssertRefused(ModelFormatError.InvalidGraph, "'y'", GraphOf(node).Message(5, FloatTensor("y", 1)));
        AssertRefused(ModelFormatError.DuplicateName, "'x'", GraphOf().Message(11, Value("x")).Message(11, Value("x")));
        AssertRefused(ModelFormatError.DuplicateName, "'w'", GraphOf().Message(5, FloatTensor("w", 1)).Message(5, FloatTensor("w", 1)));
        var sparse = new ProtoMessage().Message(1, FloatTensor("w", 1)).Message(2, TensorHeader("", I64, 1).PackedInts(7, 0)).Ints(3, 4);
        AssertRefused(ModelFormatError.DuplicateName, "'w'", GraphOf().Message(5, FloatTensor("w", 1)).Message(15, sparse));
        AssertRefused(ModelFormatError.DuplicateName, "'axis'", GraphOf(Node("Op", [], [], "", IntAttribute("axis", 1), IntAttribute("axis", 0))));

        var inner = GraphOf(Node("If", ["c"], ["z"], "", GraphAttribute("then_branch", GraphOf(node, node))));
        AssertRefused(ModelFormatError.InvalidGraph, "'y'", inner);
        var function = new ProtoMessage().Text(1, "f").Text(4, "y").Message(7, node);
        Assert.Equal(ModelFormatError.InvalidGraph, _folder.Refused(ModelOf(GraphOf()).Message(25, function)).Code);
    }

    [Fact]
    public void Names_that_only_look_like_given_twice_are_accepted()
    {
        var leftOut = Node("Dropout", ["x"], ["y", "", ""]);
        var branch = GraphOf(leftOut);
        var shadowing = Node("If", ["c"], ["z"], "", GraphAttribute("then_branch", branch), GraphAttribute("else_branch", branch));
        var graph = GraphOf(leftOut, shadowing).Message(5, FloatTensor("w", 1)).Message(11, Value("w"));
        using var model = _folder.Read(ModelOf(graph.Message(12, Value("y")).Message(12, Value("y")).Message(13, Value("y"))));

        Assert.Equal(2, model.Program!.Main.Nodes.Count);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(25)]
    public void Opsets_from_7_to_25_are_read(long opset)
    {
        using var model = _folder.Read(ModelOf(GraphOf(), opset));
        Assert.Equal(opset, model.Program!.Opset);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(26)]
    [InlineData(-1)]
    public void Other_opsets_are_refused(long opset)
    {
        var error = _folder.Refused(ModelOf(GraphOf(), opset));
        Assert.Equal(ModelFormatError.UnsupportedVersion, error.Code);
        Assert.Contains($"opset {opset}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(13, true)]
    [InlineData(14, false)]
    public void Intermediate_representations_3_to_13_are_read(long version, bool read)
    {
        if (read)
        {
            _folder.Read(ModelOf(GraphOf(), 17, version)).Dispose();
        }
        else
        {
            Assert.Equal(ModelFormatError.UnsupportedVersion, _folder.Refused(ModelOf(GraphOf(), 17, version)).Code);
        }
    }

    [Fact]
    public void The_long_name_of_the_standard_domain_is_the_short_one()
    {
        var opset = new ProtoMessage().Text(1, "ai.onnx").Int(2, 13);
        using var model = _folder.Read(new ProtoMessage().Int(1, 8).Message(7, GraphOf()).Message(8, opset));
        Assert.Equal(13, model.Program!.Opset);

        var both = ModelOf(GraphOf(), 17).Message(8, opset);
        Assert.Equal(ModelFormatError.InvalidGraph, _folder.Refused(both).Code);
    }

    [Fact]
    public void A_model_without_its_necessary_parts_is_refused()
    {
        var opset = new ProtoMessage().Text(1, "").Int(2, 17);
        Assert.Equal(ModelFormatError.InvalidGraph, _folder.Refused(new ProtoMessage().Int(1, 8).Message(8, opset)).Code);
        Assert.Equal(ModelFormatError.UnsupportedVersion, _folder.Refused(new ProtoMessage().Int(1, 8).Message(7, GraphOf())).Code);
        Assert.Equal(ModelFormatError.UnsupportedVersion, _folder.Refused(new ProtoMessage().Message(7, GraphOf()).Message(8, opset)).Code);
        Assert.Equal(ModelFormatError.InvalidGraph, _folder.Refused(ModelOf(GraphOf()).Message(7, GraphOf())).Code);
    }

    [Fact]
    public void An_attribute_holds_what_it_says()
    {
        AssertAttributeRefused(new ProtoMessage().Text(1, "a").Int(3, 1).Int(20, 1));
        AssertAttributeRefused(new ProtoMessage().Text(1, "a").Int(3, 1).Single(2, 1).Int(20, 2));
        AssertAttributeRefused(new ProtoMessage().Text(1, "a").Message(5, FloatTensor("", 1)).Message(5, FloatTensor("", 1)).Int(20, 4));
        AssertAttributeRefused(new ProtoMessage().Text(1, "a").Message(6, GraphOf()).Message(11, GraphOf()).Int(20, 5));
        AssertAttributeRefused(new ProtoMessage().Text(1, "a").Int(20, 4));
        AssertAttributeRefused(new ProtoMessage().Text(1, "a").Int(20, 15));

        using var model = _folder.Read(ModelOf(GraphOf(Node("Op", [], [], "", new ProtoMessage().Text(1, "a").Ints(8, 1, 2)))));
        Assert.Equal(AttributeKind.Ints, model.Program!.Main.Nodes[0].Attributes[0].Kind);
    }

    private void AssertAttributeRefused(ProtoMessage attribute)
    {
        var error = _folder.Refused(ModelOf(GraphOf(Node("Op", [], [], "", attribute))));
        Assert.Equal(ModelFormatError.InvalidGraph, error.Code);
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Offset);
    }

    private void AssertRefused(ModelFormatError code, string name, ProtoMessage graph)
    {
        var error = _folder.Refused(ModelOf(graph));
        Assert.Equal(code, error.Code);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Offset);
    }
}
