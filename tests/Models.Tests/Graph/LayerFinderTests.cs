using Condense.Models.Graph;
using Condense.Models.Tensors;
using Condense.Models.Tests.Formats.Onnx;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Graph;

public sealed class LayerFinderTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    /// <summary>Operator, input, dimensions of the weight; then role, rows, columns, whether it is stored transposed.</summary>
    public static TheoryData<string, int, long[], WeightRole, int, int, bool> Contexts => new()
    {
        { "Gather", 0, [100, 8], WeightRole.Embedding, 100, 8, false },
        { "Gather", 0, [100, 8, 2], WeightRole.Embedding, 100, 16, false },
        { "Gather:axis=0", 0, [100, 8], WeightRole.Embedding, 100, 8, false },
        { "Gather:axis=-2", 0, [100, 8], WeightRole.Embedding, 100, 8, false },
        { "Gather:axis=1", 0, [100, 8], WeightRole.Other, 100, 8, false },
        { "MatMul", 1, [8, 3], WeightRole.Linear, 3, 8, true },
        { "MatMul", 0, [3, 8], WeightRole.Linear, 3, 8, false },
        { "MatMul", 1, [1, 8, 3], WeightRole.Linear, 3, 8, true },
        { "MatMul", 0, [1, 1, 3, 8], WeightRole.Linear, 3, 8, false },
        { "MatMul", 1, [5, 8, 3], WeightRole.Linear, 40, 3, false },
        { "MatMul", 0, [2, 5, 8, 3], WeightRole.Linear, 80, 3, false },
        { "Gemm", 1, [8, 3], WeightRole.Linear, 3, 8, true },
        { "Gemm:transB=0", 1, [8, 3], WeightRole.Linear, 3, 8, true },
        { "Gemm:transB=1", 1, [3, 8], WeightRole.Linear, 3, 8, false },
        { "Gemm:transA=1", 1, [8, 3], WeightRole.Linear, 3, 8, true },
        { "Gemm", 0, [3, 8], WeightRole.Linear, 3, 8, false },
        { "Gemm:transA=1", 0, [8, 3], WeightRole.Linear, 3, 8, true },
        { "Gemm", 2, [1, 3], WeightRole.Other, 1, 3, false },
        { "Conv", 1, [16, 3, 5, 5], WeightRole.Conv, 16, 75, false },
        { "Conv", 1, [16, 3, 5], WeightRole.Conv, 16, 15, false },
        { "ConvTranspose", 1, [16, 3, 2, 2], WeightRole.Conv, 16, 12, false },
        { "LSTM", 1, [2, 40, 6], WeightRole.LstmInput, 80, 6, false },
        { "LSTM", 2, [2, 40, 10], WeightRole.LstmRecurrent, 80, 10, false },
        { "LSTM", 3, [2, 80], WeightRole.Other, 2, 80, false },
        { "LSTM", 5, [2, 1, 10], WeightRole.Other, 2, 10, false },
        { "GRU", 1, [1, 30, 6], WeightRole.GruInput, 30, 6, false },
        { "GRU", 2, [1, 30, 10], WeightRole.GruRecurrent, 30, 10, false },
        { "RNN", 1, [1, 10, 6], WeightRole.RnnInput, 10, 6, false },
        { "RNN", 2, [1, 10, 10], WeightRole.RnnRecurrent, 10, 10, false },
        { "Add", 1, [4, 6], WeightRole.Other, 4, 6, false },
        { "Einsum", 1, [4, 6, 2], WeightRole.Other, 4, 12, false },
        { "com.microsoft.Attention", 1, [8, 24], WeightRole.Attention, 24, 8, true },
        { "com.microsoft.FusedMatMul", 1, [8, 3], WeightRole.Linear, 3, 8, true },
        { "com.microsoft.FusedMatMul:transB=1", 1, [3, 8], WeightRole.Linear, 3, 8, false },
        { "com.microsoft.EmbedLayerNormalization", 2, [50, 8], WeightRole.Embedding, 50, 8, false },
        { "org.example.MatMul", 1, [8, 3], WeightRole.Other, 8, 3, false },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Contexts))]
    public void The_consumer_says_what_a_weight_is(string consumer, int input, long[] dims, WeightRole role, int rows, int columns, bool transposed)
    {
        var node = Consumer(consumer, input, "w");
        foreach (bool constant in new[] { false, true })
        {
            // The Relu keeps a product from being the last projection.
            var graph = constant
                ? GraphOf(Node("Constant", [], ["w"], "", TensorAttribute("value", FloatTensor("", dims))), node, Node("Relu", ["y"], ["z"]))
                : GraphOf(node, Node("Relu", ["y"], ["z"])).Message(5, FloatTensor("w", dims));
            using var model = _folder.Read(ModelOf(graph.Message(12, Value("z"))));
            var layer = Assert.Single(LayerFinder.Find(model));

            Assert.Equal((role, rows, columns, transposed), (layer.Role, layer.Rows, layer.Columns, layer.Transposed));
            Assert.Equal(consumer.Split(':')[0].Split('.')[^1], layer.Operator);
            Assert.Equal(constant ? $"the consumer/{input}" : "w", layer.Name);
            Assert.Same(model.Program!.Main, layer.Scope);
            Assert.Equal(constant ? model.Program.Main.Nodes[0] : null, layer.Constant);
            Assert.Equal([new WeightUse(model.Program.Main, model.Program.Main.Nodes[constant ? 1 : 0], input)], layer.Uses.AsEnumerable());
        }
    }

    [Theory]
    [InlineData(1, "f32 vector", false, 8)]
    [InlineData(7, "integers", false, 2, 4)]
    [InlineData(1, "empty", false, 0, 4)]
    [InlineData(1, "f32", true, 2, 4)]
    [InlineData(10, "f16", true, 2, 4)]
    [InlineData(16, "bf16", true, 2, 4)]
    [InlineData(11, "f64", true, 2, 4)]
    [InlineData(17, "f8", false, 2, 4)]
    public void Floating_tensors_of_two_or_more_dimensions_are_layers(int type, string what, bool found, params int[] dims)
    {
        int bytes = dims.Aggregate(1, (product, dimension) => product * dimension) * type switch { 1 => 4, 7 or 11 => 8, 17 => 1, _ => 2 };
        using var model = _folder.Read(ModelOf(GraphOf().Message(5, TensorHeader("w", type, [.. dims]).Bytes(9, new byte[bytes]))));

        Assert.True(LayerFinder.Find(model).Length == (found ? 1 : 0), what);
    }

    [Fact]
    public void A_weight_behind_identities_casts_and_transposes_is_seen_by_its_real_consumer()
    {
        AssertBehind(true, Node("Identity", ["w"], ["a"]), Node("Identity", ["a"], ["b"]));
        AssertBehind(true, Node("Cast", ["w"], ["b"], "", IntAttribute("to", 1)));
        AssertBehind(false, Node("Transpose", ["w"], ["b"]));
        AssertBehind(false, Node("Transpose", ["w"], ["b"], "", IntsAttribute("perm", 1, 0)));
        AssertBehind(true, Node("Transpose", ["w"], ["a"]), Node("Transpose", ["a"], ["b"]));

        void AssertBehind(bool transposed, params ReadOnlySpan<ProtoMessage> between)
        {
            var graph = GraphOf([.. between, Node("MatMul", ["x", "b"], ["y"]), Node("Relu", ["y"], ["z"])]).Message(5, FloatTensor("w", 4, 6));
            using var model = _folder.Read(ModelOf(graph));
            var layer = Assert.Single(LayerFinder.Find(model));

            Assert.Equal((WeightRole.Linear, "MatMul", transposed), (layer.Role, layer.Operator, layer.Transposed));
            Assert.Equal(transposed ? (6, 4) : (4, 6), (layer.Rows, layer.Columns));

            // What uses the weight itself is the first node between.
            Assert.Equal([new WeightUse(model.Program!.Main, model.Program.Main.Nodes[0], 0)], layer.Uses.AsEnumerable());
        }
    }

    [Fact]
    public void A_shared_weight_lists_all_its_uses_and_a_table_stays_a_table()
    {
        var graph = GraphOf(
            Node("MatMul", ["h", "w"], ["y"]), Node("Gather", ["w", "ids"], ["e"]), Node("Add", ["w", "w"], ["s"])).Message(5, FloatTensor("w", 6, 6));
        using var model = _folder.Read(ModelOf(graph));
        var main = model.Program!.Main;
        var layer = Assert.Single(LayerFinder.Find(model));

        Assert.Equal((WeightRole.Embedding, "Gather", false), (layer.Role, layer.Operator, layer.Transposed));
        Assert.Equal(
            [new WeightUse(main, main.Nodes[0], 1), new(main, main.Nodes[1], 0), new(main, main.Nodes[2], 0), new(main, main.Nodes[2], 1)],
            layer.Uses.AsEnumerable());
    }

    [Fact]
    public void Subgraphs_use_weights_from_around_them_and_hide_them_by_their_own()
    {
        var uses = GraphOf(Node("MatMul", ["x", "w"], ["y"]));
        var hides = GraphOf(Node("MatMul", ["x", "w"], ["y"], "inner")).Message(5, FloatTensor("w", 3, 2));
        var hidesByInput = GraphOf(Node("MatMul", ["x", "w"], ["y"])).Message(11, Value("w"));
        var hidesByNode = GraphOf(Node("Relu", ["x"], ["w"]), Node("MatMul", ["x", "w"], ["y"]));
        var graph = GraphOf(
            Node("If", ["c"], ["a"], "", GraphAttribute("then_branch", uses), GraphAttribute("else_branch", hides)),
            Node("If", ["c"], ["b"], "", GraphAttribute("then_branch", hidesByInput), GraphAttribute("else_branch", hidesByNode)))
            .Message(5, FloatTensor("w", 8, 4));
        using var model = _folder.Read(ModelOf(graph));
        var main = model.Program!.Main;
        var layers = LayerFinder.Find(model);

        Assert.Equal(["w", "w#2"], layers.Select(layer => layer.Name));
        Assert.Equal([(4, 8), (2, 3)], layers.Select(layer => (layer.Rows, layer.Columns)));
        var then = main.Nodes[0].Attribute("then_branch")!.Graphs[0];
        var otherwise = main.Nodes[0].Attribute("else_branch")!.Graphs[0];
        Assert.Equal([new WeightUse(then, then.Nodes[0], 1)], layers[0].Uses.AsEnumerable());
        Assert.Equal([new WeightUse(otherwise, otherwise.Nodes[0], 1)], layers[1].Uses.AsEnumerable());
        Assert.Same(otherwise, layers[1].Scope);
    }

    [Theory]
    [InlineData("w", 3, "w,codes")]
    [InlineData("w", 4, "codes")]
    [InlineData("codes", 3, "w,codes")]
    [InlineData("codes", 4, "w")]
    [InlineData("scale", 4, "w")]
    [InlineData("zero", 4, "w")]
    [InlineData("x", 4, "w,codes")]
    public void What_callers_may_override_makes_up_no_layer(string input, int irVersion, string layers)
    {
        var graph = GraphOf(Node("DequantizeLinear", ["codes", "scale", "zero"], ["d"]), Node("MatMul", ["x", "d"], ["h"]), Node("MatMul", ["h", "w"], ["y"]))
            .Message(5, FloatTensor("w", 6, 4)).Message(5, TensorHeader("codes", 3, 8, 6).Bytes(9, new byte[48])).Message(5, FloatTensor("scale"))
            .Message(5, TensorHeader("zero", 3).Bytes(9, new byte[1])).Message(11, Value(input));
        using var model = _folder.Read(ModelOf(graph, irVersion: irVersion));

        Assert.Equal(layers.Split(',').Order(), LayerFinder.Find(model).Select(layer => layer.Name).Order());
    }

    [Fact]
    public void Weights_in_constant_nodes_are_named_by_their_first_consumer()
    {
        ProtoMessage Constant(string output) => Node("Constant", [], [output], "", TensorAttribute("value", FloatTensor("", 4, 4)));
        var graph = GraphOf(
            Constant("a"), Constant("b"), Constant("c"), Constant("unused"), Node("MatMul", ["x", "a"], ["m"], "first"), Node("MatMul", ["m", "b"], ["n"]),
            Node("MatMul", ["n", "c"], ["o"], "first"), Node("Add", ["o", "a"], ["p"], "later")).Message(5, FloatTensor("n/1", 2, 2));
        using var model = _folder.Read(ModelOf(graph));

        Assert.Equal(["first/1", "n/1#2", "first/1#2", "unused", "n/1"], LayerFinder.Find(model).Select(layer => layer.Name));
    }

    [Fact]
    public void The_product_that_only_becomes_an_output_is_the_softmax()
    {
        Assert.Equal(WeightRole.Softmax, RoleOf(Node("MatMul", ["h", "w"], ["y"])));
        Assert.Equal(WeightRole.Softmax, RoleOf(Node("Gemm", ["h", "w"], ["m"]), Node("Add", ["m", "bias"], ["n"]), Node("LogSoftmax", ["n"], ["y"])));
        Assert.Equal(WeightRole.Softmax, RoleOf(Node("MatMul", ["h", "w"], ["y"]), Node("ArgMax", ["y"], ["label"])));
        Assert.Equal(WeightRole.Linear, RoleOf(Node("MatMul", ["h", "w"], ["m"]), Node("Relu", ["m"], ["y"])));
        Assert.Equal(WeightRole.Linear, RoleOf(Node("MatMul", ["h", "w"], ["m"])));

        // A key that is kept for the next step, but is used in this one too.
        Assert.Equal(WeightRole.Linear, RoleOf(Node("MatMul", ["h", "w"], ["m"]), Node("Reshape", ["m", "s"], ["y"]), Node("MatMul", ["q", "y"], ["p"])));
        var branch = GraphOf(Node("Relu", ["y"], ["r"]));
        Assert.Equal(WeightRole.Linear, RoleOf(Node("MatMul", ["h", "w"], ["y"]), Node("If", ["c"], ["p"], "", GraphAttribute("then_branch", branch))));

        WeightRole RoleOf(params ReadOnlySpan<ProtoMessage> nodes)
        {
            using var model = _folder.Read(ModelOf(GraphOf(nodes).Message(5, FloatTensor("w", 4, 4)).Message(12, Value("y")).Message(12, Value("label"))));
            return Assert.Single(LayerFinder.Find(model)).Role;
        }
    }

    [Fact]
    public void Names_of_weights_and_nodes_hint_at_attention()
    {
        var graph = GraphOf(
            Node("MatMul", ["x", "layer.0.q_proj.weight"], ["a"]), Node("MatMul", ["x", "onnx::MatMul_1"], ["b"], "/encoder/self_attn/MatMul"),
            Node("MatMul", ["x", "layer.0.monkey.weight"], ["c"]), Node("Relu", ["a"], ["d"]));
        foreach (string name in new[] { "layer.0.q_proj.weight", "onnx::MatMul_1", "layer.0.monkey.weight" })
        {
            graph.Message(5, FloatTensor(name, 4, 4));
        }

        using var model = _folder.Read(ModelOf(graph));
        Assert.Equal([WeightRole.Attention, WeightRole.Attention, WeightRole.Linear], LayerFinder.Find(model).Select(layer => layer.Role));
    }

    [Theory]
    [InlineData("encoder.weight", WeightRole.Embedding, 10000, 200)]
    [InlineData("transformer.wte.weight", WeightRole.Embedding, 50, 8)]
    [InlineData("bert.embeddings.word_embeddings.weight", WeightRole.Embedding, 50, 8)]
    [InlineData("anything", WeightRole.Embedding, 20000, 100)]
    [InlineData("decoder.weight", WeightRole.Softmax, 10000, 200)]
    [InlineData("lm_head.weight", WeightRole.Softmax, 50, 8)]
    [InlineData("classifier.weight", WeightRole.Softmax, 2, 8)]
    [InlineData("rnn.weight_ih_l0", WeightRole.LstmInput, 40, 6)]
    [InlineData("rnn.weight_hh_l0", WeightRole.LstmRecurrent, 40, 10)]
    [InlineData("rnn.weight_ih_l1", WeightRole.GruInput, 30, 12)]
    [InlineData("rnn.weight_hh_l1", WeightRole.GruRecurrent, 30, 10)]
    [InlineData("rnn.weight_ih_l2", WeightRole.RnnInput, 10, 4)]
    [InlineData("rnn.weight_hh_l2", WeightRole.RnnRecurrent, 10, 10)]
    [InlineData("gru.weight_ih_l9", WeightRole.GruInput, 24, 10)]
    [InlineData("model.layers.0.self_attn.q_proj.weight", WeightRole.Attention, 8, 8)]
    [InlineData("encoder.layer.0.attention.output.dense.weight", WeightRole.Attention, 8, 8)]
    [InlineData("h.0.mlp.c_fc.weight", WeightRole.Linear, 32, 8)]
    [InlineData("features.0.weight", WeightRole.Conv, 16, 3, 5, 5)]
    [InlineData("mixer.bias", WeightRole.Other, 8, 8)]
    public void Without_a_graph_names_and_shapes_say_what_a_weight_is(string name, WeightRole role, params int[] dims)
    {
        long[][] recurrent = [[40, 10], [30, 10], [10, 10]];
        List<Tensor> tensors = [.. recurrent.Select((shape, i) => Tensor($"rnn.weight_hh_l{i}", shape)), Tensor("vector", [5])];
        if (!tensors.Exists(tensor => string.Equals(tensor.Name, name, StringComparison.Ordinal)))
        {
            tensors.Add(Tensor(name, [.. dims]));
        }

        using var model = new Model(ModelFormat.Safetensors, [.. tensors], null, new Dictionary<string, string>(StringComparer.Ordinal), []);
        var layers = LayerFinder.Find(model);
        var layer = Assert.Single(layers, layer => string.Equals(layer.Name, name, StringComparison.Ordinal));

        Assert.Equal(role, layer.Role);
        Assert.Equal((dims[0], dims[1..].Aggregate(1, (product, dimension) => product * dimension), false), (layer.Rows, layer.Columns, layer.Transposed));
        Assert.True(layer.Operator is null && layer.Scope is null && layer.Uses.IsEmpty);
        Assert.DoesNotContain(layers, other => string.Equals(other.Name, "vector", StringComparison.Ordinal));
    }

    /// <summary>Names, dimensions and whether the matrices of a file are stored in×out.</summary>
    public static TheoryData<string, string[], string[]> Gpt2Files => new()
    {
        {
            "transformers",
            ["h.0.attn.c_attn.weight 8 24", "h.0.attn.c_attn.bias 24", "h.0.attn.c_proj.weight 8 8", "h.0.attn.c_proj.bias 8", "h.0.mlp.c_fc.weight 8 32",
                "h.0.mlp.c_fc.bias 32", "h.0.mlp.c_proj.weight 32 8", "h.0.mlp.c_proj.bias 8"],
            ["Attention 24 8 True", "Attention 8 8 True", "Linear 32 8 True", "Linear 8 32 True"]
        },
        {
            "linear modules of the same names",
            ["h.0.attn.c_attn.weight 24 8", "h.0.attn.c_attn.bias 24", "h.0.attn.c_proj.weight 8 8", "h.0.attn.c_proj.bias 8", "h.0.mlp.c_fc.weight 32 8",
                "h.0.mlp.c_fc.bias 32", "h.0.mlp.c_proj.weight 8 32", "h.0.mlp.c_proj.bias 8"],
            ["Attention 24 8 False", "Attention 8 8 False", "Linear 32 8 False", "Linear 8 32 False"]
        },
        {
            "linear modules without biases",
            ["h.0.attn.c_attn.weight 24 8", "h.0.attn.c_proj.weight 8 8", "h.0.mlp.c_fc.weight 32 8", "h.0.mlp.c_proj.weight 8 32"],
            ["Attention 24 8 False", "Attention 8 8 False", "Linear 32 8 False", "Linear 8 32 False"]
        },
        {
            "fused projections of linear modules",
            ["block.attn.in_proj_weight 24 8", "block.mixer.Wqkv.weight 24 8", "visual.to_qkv.weight 24 8", "other.fc.weight 24 8", "other.fc.bias 24"],
            ["Attention 24 8 False", "Attention 24 8 False", "Attention 24 8 False", "Linear 24 8 False"]
        },
    };

    [Theory]
    [MemberData(nameof(Gpt2Files))]
    public void Matrices_of_conv1d_modules_lie_the_other_way_round(string file, string[] tensors, string[] expected)
    {
        using var model = new Model(
            ModelFormat.Safetensors,
            [.. tensors.Select(text => text.Split(' ')).Select(parts => Tensor(parts[0], [.. parts[1..].Select(size => long.Parse(size, System.Globalization.CultureInfo.InvariantCulture))]))],
            null,
            new Dictionary<string, string>(StringComparer.Ordinal),
            []);
        var found = LayerFinder.Find(model).Select(layer => $"{layer.Role} {layer.Rows} {layer.Columns} {layer.Transposed}");
        Assert.True(found.SequenceEqual(expected), file);
    }

    private static Tensor Tensor(string name, long[] dims)
    {
        var shape = new TensorShape(dims);
        return new(name, DType.F32, shape, new MemoryTensorData(new byte[4 * shape.ElementCount]));
    }

    private static ProtoMessage Consumer(string consumer, int input, string weight)
    {
        string[] parts = consumer.Split(':', '=');
        string[] name = parts[0].Split('.');
        string[] inputs = [.. Enumerable.Range(0, input + 1).Select(i => i == input ? weight : $"x{i}")];
        var node = parts.Length == 1
            ? Node(name[^1], inputs, ["y"], "the consumer")
            : Node(name[^1], inputs, ["y"], "the consumer", IntAttribute(parts[1], long.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture)));
        return name.Length == 1 ? node : node.Text(7, string.Join('.', name[..^1]));
    }
}
