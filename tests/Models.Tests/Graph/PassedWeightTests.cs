using System.Globalization;
using Condense.Models.Graph;
using Condense.Models.Tests.Formats.Onnx;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Graph;

/// <summary>Weights behind nodes that turn, shape and cast them.</summary>
public sealed class PassedWeightTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    /// <summary>The weight's dimensions, the nodes between, the consumer; then operator, role, rows, columns, whether it is stored transposed.</summary>
    public static TheoryData<long[], string, string, WeightRole, int, int, bool> Chains => new()
    {
        { [4, 6], "Transpose", "MatMul", WeightRole.Linear, 4, 6, false },
        { [4, 6], "Identity Transpose Cast:to=10", "MatMul", WeightRole.Linear, 4, 6, false },
        { [4, 6], "Transpose Transpose", "MatMul", WeightRole.Linear, 6, 4, true },
        { [1, 4, 6], "Reshape:4,6", "MatMul", WeightRole.Linear, 6, 4, true },
        { [1, 4, 6], "Reshape:0,-1,0", "MatMul", WeightRole.Linear, 6, 4, true },
        { [1, 4, 6], "Squeeze:0", "MatMul", WeightRole.Linear, 6, 4, true },
        { [1, 4, 6], "Squeeze:-3", "MatMul", WeightRole.Linear, 6, 4, true },
        { [4, 1, 6], "Squeeze", "MatMul", WeightRole.Linear, 6, 4, true },
        { [4, 6], "Unsqueeze:0,1", "MatMul", WeightRole.Linear, 6, 4, true },
        { [8, 3, 2], "Flatten:axis=1", "MatMul", WeightRole.Linear, 6, 8, true },
        { [8, 3, 2], "Flatten", "MatMul", WeightRole.Linear, 6, 8, true },
        { [8, 3, 2], "Flatten:axis=-1", "MatMul", WeightRole.Linear, 2, 24, true },
        { [8, 3, 2], "Transpose:perm=1,2,0", "MatMul", WeightRole.Linear, 6, 8, true },
        { [8, 3, 2], "Transpose:perm=1,2,0 Flatten:axis=2", "MatMul", WeightRole.Linear, 8, 6, false },
        { [8, 3, 2], "Transpose:perm=0,2,1", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 3, 2], "Transpose:perm=2,1,0", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6, 1, 1], "Transpose:perm=2,3,1,0", "MatMul", WeightRole.Linear, 8, 6, false },
        { [8, 6], "Transpose Reshape:3,16", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Transpose Reshape:3,16 Transpose", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:3,16", "MatMul", WeightRole.Linear, 16, 3, true },
        { [8, 6], "Reshape:x", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:5,-1", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:-1,-1", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:4294967296,4294967296,-1", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Unsqueeze:0,0", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Unsqueeze:0,1,2,3,4,5", "MatMul", WeightRole.Linear, 6, 8, true },
        { [8, 6], "Unsqueeze:0,1,2,3,4,5 Unsqueeze:0", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:1,1,1,1,1,1,1,8,6", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 1, 1, 1, 1, 1, 1, 1, 6], "Transpose", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Unsqueeze:9", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:48", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Cast:to=7", "MatMul", WeightRole.Other, 8, 6, false },
        { [8, 6], "Reshape:8,6,1,1", "Conv", WeightRole.Conv, 8, 6, false },
        { [8, 6], "Unsqueeze:0", "LSTM", WeightRole.LstmInput, 8, 6, false },
        { [6, 8], "Transpose Unsqueeze:0", "GRU", WeightRole.GruInput, 8, 6, true },
        { [2, 4, 6], "Reshape:8,6", "Gather", WeightRole.Embedding, 8, 6, false },
        { [6, 8], "Transpose", "Gather", WeightRole.Embedding, 8, 6, true },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Chains))]
    public void A_weight_is_followed_to_what_computes_with_it(long[] dims, string between, string consumer, WeightRole role, int rows, int columns, bool transposed)
    {
        var graph = GraphOf();
        string value = "w";
        string[] steps = between.Split(' ');
        for (int i = 0; i < steps.Length; i++)
        {
            string[] parts = steps[i].Split(':');
            string next = $"v{i}";
            string[] setting = parts.Length == 1 ? [] : parts[1].Split('=');
            if (setting is [var name, var text])
            {
                long[] numbers = [.. text.Split(',').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
                graph.Message(1, Node(parts[0], [value], [next], "", string.Equals(name, "perm", StringComparison.Ordinal) ? IntsAttribute(name, numbers) : IntAttribute(name, numbers[0])));
            }
            else if (setting is ["x"])
            {
                graph.Message(1, Node(parts[0], [value, "x"], [next]));
            }
            else if (setting is [var list])
            {
                graph.Message(5, LongTensor($"c{i}", [.. list.Split(',').Select(number => long.Parse(number, CultureInfo.InvariantCulture))]));
                graph.Message(1, Node(parts[0], [value, $"c{i}"], [next]));
            }
            else
            {
                graph.Message(1, Node(parts[0], [value], [next]));
            }

            value = next;
        }

        graph.Message(1, Node(consumer, string.Equals(consumer, "Gather", StringComparison.Ordinal) ? [value, "ids"] : ["x", value], ["y"]));
        graph.Message(1, Node("Relu", ["y"], ["z"])).Message(5, FloatTensor("w", dims));
        using var model = _folder.Read(ModelOf(graph));
        var layer = Assert.Single(LayerFinder.Find(model));

        Assert.Equal((role, rows, columns, transposed), (layer.Role, layer.Rows, layer.Columns, layer.Transposed));
        Assert.Same(model.Program!.Main.Nodes[0], Assert.Single(layer.Uses).Node);
        Assert.Single(layer.Consumers);
    }

    [Fact]
    public void A_shape_that_a_subgraph_hides_is_not_taken_for_the_one_outside()
    {
        var hidden = GraphOf(Node("Reshape", ["w", "s"], ["r"]), Node("MatMul", ["x", "r"], ["y"])).Message(11, Value("s"));
        var seen = GraphOf(Node("Reshape", ["v", "s"], ["r"]), Node("MatMul", ["x", "r"], ["y"]));
        var graph = GraphOf(Node("If", ["c"], ["a"], "", GraphAttribute("then_branch", hidden), GraphAttribute("else_branch", seen)))
            .Message(5, FloatTensor("w", 8, 6)).Message(5, FloatTensor("v", 8, 6)).Message(5, LongTensor("s", 6, 8));
        using var model = _folder.Read(ModelOf(graph));

        Assert.Equal([WeightRole.Other, WeightRole.Linear], LayerFinder.Find(model).Select(layer => layer.Role));
        Assert.Equal([(8, 6), (8, 6)], LayerFinder.Find(model).Select(layer => (layer.Rows, layer.Columns)));
    }

    [Fact]
    public void Attention_is_known_by_its_products_and_softmax()
    {
        var graph = GraphOf(
            Node("MatMul", ["x", "first"], ["p"]), Node("Add", ["p", "bias"], ["b"]), Node("Split", ["b"], ["q", "k", "v"]), Node("Transpose", ["k"], ["kt"]),
            Node("MatMul", ["q", "kt"], ["scores"]), Node("Mul", ["scores", "scale"], ["scaled"]), Node("Add", ["scaled", "mask"], ["masked"]),
            Node("Softmax", ["masked"], ["weights"]), Node("MatMul", ["weights", "v"], ["mixed"]), Node("Reshape", ["mixed", "s"], ["flat"]),
            Node("MatMul", ["flat", "second"], ["o"]), Node("Add", ["o", "x"], ["residual"]), Node("MatMul", ["residual", "up"], ["h"]), Node("Relu", ["h"], ["r"]),
            Node("MatMul", ["r", "down"], ["d"]), Node("Relu", ["d"], ["e"]), Node("MatMul", ["e", "last"], ["z"]), Node("Softmax", ["z"], ["y"]));
        foreach (string name in (string[])["first", "second", "up", "down", "last"])
        {
            graph.Message(5, FloatTensor(name, 4, 4));
        }

        using var model = _folder.Read(ModelOf(graph.Message(12, Value("y"))));
        Assert.Equal(
            [("first", WeightRole.Attention), ("second", WeightRole.Attention), ("up", WeightRole.Linear), ("down", WeightRole.Linear), ("last", WeightRole.Softmax)],
            LayerFinder.Find(model).Select(layer => (layer.Name, layer.Role)));
    }
}
