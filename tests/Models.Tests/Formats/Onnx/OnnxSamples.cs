using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

/// <summary>Whole models.</summary>
internal static class OnnxSamples
{
    /// <summary>A model with something of everything that a file can hold.</summary>
    internal static ProtoMessage RichModel()
    {
        var inner = GraphOf(Node("Identity", ["inner"], ["y"])).Message(5, FloatTensor("inner", 2, 2)).Message(12, Value("y"));
        var sparse = new ProtoMessage().Message(1, FloatTensor("sparse", 2)).Message(2, TensorHeader("", I64, 2).PackedInts(7, 1, 5)).Ints(3, 8);
        var graph = GraphOf(
                Node("If", ["condition"], ["chosen"], "choice", GraphAttribute("then_branch", inner), GraphAttribute("else_branch", GraphOf())),
                Node("Clip", ["x", "", "max"], ["clipped"]).Text(6, "said of the node").Message(9, Entry("k", "v")),
                Node(
                    "FusedMatMul",
                    ["clipped", "table"],
                    ["product"],
                    "",
                    new ProtoMessage().Text(1, "floats").Single(7, 1.5f).Single(7, -2).Int(20, 6),
                    new ProtoMessage().Text(1, "ints").PackedInts(8, 3, -4).Text(13, "said of ints").Int(20, 7),
                    new ProtoMessage().Text(1, "string").Text(4, "text").Int(20, 3),
                    new ProtoMessage().Text(1, "strings").Text(9, "a").Text(9, "").Int(20, 8),
                    new ProtoMessage().Text(1, "referring").Int(20, 1).Text(21, "outer"),
                    new ProtoMessage().Text(1, "left out").Int(20, 2),
                    new ProtoMessage().Text(1, "sparse").Message(22, sparse).Int(20, 11),
                    new ProtoMessage().Text(1, "type").Message(14, new ProtoMessage().Message(4, new ProtoMessage())).Int(20, 13))
                    .Text(7, "com.microsoft"),
                Node("Twice", ["product"], ["twice"]).Text(7, "local").Text(8, "fast"))
            .Message(5, FloatTensor("table", 4, 3).Text(12, "said of the table").Message(16, Entry("k", "v")))
            .Message(5, TensorHeader("words", OnnxMessages.Text, 2).Text(6, "one").Text(6, "two"))
            .Text(10, "said of the graph")
            .Message(11, Value("x", F32, -1, 4).Text(3, "said of x"))
            .Message(11, new ProtoMessage().Text(1, "list").Message(2, new ProtoMessage().Message(4, new ProtoMessage().Message(1, new ProtoMessage()))))
            .Message(12, Value("twice"))
            .Message(13, Value("product", F32, 1, 3))
            .Message(14, new ProtoMessage().Text(1, "annotated"))
            .Message(15, sparse);
        var function = new ProtoMessage().Text(1, "Twice").Text(4, "a").Text(5, "b").Text(6, "alpha").Message(7, Node("Add", ["a", "a"], ["b"]))
            .Text(8, "doubles").Message(9, new ProtoMessage().Text(1, "").Int(2, 17)).Text(10, "local")
            .Message(11, IntAttribute("beta", 2)).Message(12, Value("b")).Text(13, "fast").Message(14, Entry("k", "v"));
        return ModelOf(graph).Text(2, "maker").Text(3, "1.2").Text(4, "org.example").Int(5, 3).Text(6, "a model")
            .Message(8, new ProtoMessage().Text(1, "com.microsoft").Int(2, 1)).Message(14, Entry("author", "someone")).Message(14, Entry("", ""))
            .Message(25, function).Int(77, 5);
    }
}
