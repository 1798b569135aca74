using System.Runtime.InteropServices;
using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

/// <summary>What stands in the place of nodes whose weight becomes a product of factors of rank 2.</summary>
public sealed class FactoredConsumerTests
{
    [Fact]
    public void Nodes_that_only_brought_the_weight_go_with_it()
    {
        var graph = new ModelGraph { Name = "test" };
        AddWeight(graph, 6, 10);
        AddShape(graph, "s", 10, 6);
        AddShape(graph, "shared", 1, 6, 10);
        graph.Nodes.AddRange(
        [
            Make("Transpose", "W", "t"), Make("Reshape", "t s", "r"), Make("MatMul", "x r", "y"), Make("Reshape", "W shared", "u"), Make("MatMul", "u z", "v"),
            Make("Reshape", "x shared", "w"),
        ]);
        graph.Values.Add(new ValueInfo { Name = "t", DType = DType.F32 });
        using var rewritten = Rewrite(graph);
        var main = rewritten.Program!.Main;

        // x·Wᵀ = (x·Rᵀ)·Lᵀ, and W·z = L·(R·z) with the axis that the second Reshape had put in front.
        Assert.Equal(["Transpose", "Transpose", "MatMul", "MatMul", "Reshape", "MatMul", "MatMul", "Reshape"], main.Nodes.Select(node => node.OpType));
        Assert.DoesNotContain(main.Nodes, node => node.Inputs.Exists(name => name is "t" or "r" or "u" or "W"));
        Assert.Equal(["shared"], main.Initializers.Select(initializer => initializer.Tensor.Name).Where(name => name is "W" or "s" or "shared"));
        Assert.Empty(main.Values);
    }

    [Fact]
    public void A_recurrent_layer_keeps_all_but_its_input_matrix()
    {
        var graph = new ModelGraph { Name = "test" };
        AddWeight(graph, 2, 8, 5);
        var lstm = Make("LSTM", "x W R B n h c P", "y");
        lstm.Outputs.AddRange(["", "last"]);
        lstm.Attributes.Add(new NodeAttribute { Name = "layout", Kind = AttributeKind.Int, Ints = [1] });
        lstm.Attributes.Add(new NodeAttribute { Name = "direction", Kind = AttributeKind.String, Strings = [[.. "bidirectional"u8]] });
        graph.Nodes.Add(lstm);
        using var rewritten = Rewrite(graph);
        var main = rewritten.Program!.Main;

        Assert.Equal(["Transpose", "MatMul", "LSTM"], main.Nodes.Select(node => node.OpType));
        Assert.Equal(["W.lr_v"], main.Nodes[0].Inputs);
        Assert.Equal(["x", main.Nodes[0].Outputs[0]], main.Nodes[1].Inputs);
        Assert.Equal([main.Nodes[1].Outputs[0], "W.lr_u", "R", "B", "n", "h", "c", "P"], main.Nodes[2].Inputs);
        Assert.Equal(["y", "", "last"], main.Nodes[2].Outputs);
        Assert.Equal(["layout", "direction"], main.Nodes[2].Attributes.Select(attribute => attribute.Name));
        Assert.Equal(["2×5", "2×8×2"], main.Initializers.OrderBy(initializer => initializer.Tensor.Shape.Rank).Select(initializer => initializer.Tensor.Shape.ToString()));
    }

    [Fact]
    public void A_convolution_becomes_one_over_the_window_and_one_at_each_place()
    {
        var graph = new ModelGraph { Name = "test" };
        AddWeight(graph, 8, 3, 3, 5);
        var conv = Make("Conv", "x W b", "y");
        conv.Attributes.Add(new NodeAttribute { Name = "pads", Kind = AttributeKind.Ints, Ints = [1, 2, 1, 2] });
        conv.Attributes.Add(new NodeAttribute { Name = "kernel_shape", Kind = AttributeKind.Ints, Ints = [3, 5] });
        graph.Nodes.Add(conv);
        using var rewritten = Rewrite(graph);
        var nodes = rewritten.Program!.Main.Nodes;

        Assert.Equal(["Conv", "Conv"], nodes.Select(node => node.OpType));
        Assert.Equal(["x", "W.lr_v"], nodes[0].Inputs);
        Assert.Equal(["pads", "kernel_shape"], nodes[0].Attributes.Select(attribute => attribute.Name));
        Assert.Equal([nodes[0].Outputs[0], "W.lr_u", "b"], nodes[1].Inputs);
        Assert.Empty(nodes[1].Attributes);
        Assert.Equal(("y_node", "y"), (nodes[1].Name, nodes[1].Outputs[0]));
        Assert.Equal(["8×2×1×1", "2×3×3×5"], rewritten.Program.Main.Initializers.Select(initializer => initializer.Tensor.Shape.ToString()));
    }

    [Theory]
    [InlineData("Conv", "group", 1, true)]
    [InlineData("Conv", "group", 2, false)]
    [InlineData("Conv", "group of the caller", 1, false)]
    [InlineData("ConvTranspose", "group", 1, false)]
    [InlineData("DeformConv", "group", 1, false)]
    public void Factors_take_the_place_of_kernels_that_see_all_channels(string opType, string attribute, long group, bool expected)
    {
        var graph = new ModelGraph { Name = "test" };
        AddWeight(graph, 8, 4, 3, 3);
        var node = Make(opType, "x W", "y");
        bool given = attribute.Contains("caller", StringComparison.Ordinal);
        node.Attributes.Add(new NodeAttribute { Name = "group", Kind = AttributeKind.Int, Ints = given ? [] : [group], Reference = given ? "groups" : "" });
        graph.Nodes.Add(node);
        using var model = ModelOf(graph);
        var layer = LayerFinder.Find(model).Single();
        Assert.Equal(expected, ModelRewriter.Supports(model, layer, Factors(layer)));
        Assert.True(ModelRewriter.Supports(model, layer, new QuantizedForm(layer.Rows, layer.Columns, 8, true, QuantizationGranularity.PerRow)));
    }

    [Theory]
    [InlineData("LSTM", 1, true)]
    [InlineData("GRU", 1, true)]
    [InlineData("RNN", 1, true)]
    [InlineData("LSTM", 2, false)]
    [InlineData("GRU", 2, false)]
    [InlineData("RNN", 2, false)]
    public void Factors_take_the_place_of_input_matrices_alone(string opType, int input, bool expected)
    {
        var graph = new ModelGraph { Name = "test" };
        AddWeight(graph, 1, 12, 4);
        graph.Nodes.Add(Make(opType, input == 1 ? "x W R" : "x I W", "y"));
        using var model = ModelOf(graph);
        var layer = LayerFinder.Find(model).Single();
        Assert.Equal(expected, ModelRewriter.Supports(model, layer, Factors(layer)));
    }

    [Fact]
    public void A_weight_whose_turned_form_is_an_output_takes_no_factors()
    {
        var graph = new ModelGraph { Name = "test" };
        AddWeight(graph, 6, 10);
        graph.Nodes.AddRange([Make("Transpose", "W", "t"), Make("MatMul", "x t", "y")]);
        graph.Outputs.Add(new ValueInfo { Name = "t", DType = DType.F32 });
        using var model = ModelOf(graph);
        var layer = LayerFinder.Find(model).Single();
        Assert.False(ModelRewriter.Supports(model, layer, Factors(layer)));
    }

    private static ProductForm Factors(Layer layer)
        => new(new DenseForm(layer.Rows, 2, FloatFormat.F32), new DenseForm(2, layer.Columns, FloatFormat.F32));

    private static Model Rewrite(ModelGraph graph)
    {
        var model = ModelOf(graph);
        var layer = LayerFinder.Find(model).Single();
        return ModelRewriter.Rewrite(model, [new CompressedLayer(layer, Factors(layer), null, "test")]);
    }

    private static Model ModelOf(ModelGraph graph)
    {
        var program = new GraphProgram { IrVersion = 8, Main = graph };
        program.Opsets.Add("", 17);
        return new Model(
            ModelFormat.Onnx,
            [.. graph.Initializers.Select(initializer => initializer.Tensor)],
            program,
            new Dictionary<string, string>(StringComparer.Ordinal),
            []);
    }

    private static void AddWeight(ModelGraph graph, params ReadOnlySpan<long> dimensions)
    {
        var shape = new TensorShape(dimensions);
        graph.Initializers.Add(new Initializer(new Tensor("W", DType.F32, shape, new MemoryTensorData(new byte[shape.ElementCount * sizeof(float)]))));
    }

    private static void AddShape(ModelGraph graph, string name, params long[] sizes)
        => graph.Initializers.Add(new Initializer(
            new Tensor(name, DType.I64, new TensorShape(sizes.Length), new MemoryTensorData(MemoryMarshal.AsBytes(sizes.AsSpan()).ToArray()))));

    private static Node Make(string opType, string inputs, string output)
    {
        var node = new Node { Name = output + "_node", OpType = opType };
        node.Inputs.AddRange(inputs.Split(' '));
        node.Outputs.Add(output);
        return node;
    }
}
