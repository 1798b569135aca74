using Condense.Models.Graph;
using Condense.Models.Tensors;
using static Condense.Execution.Tests.Rewriting.WeightContexts;
using static Condense.Execution.Tests.TestModel;
using static Condense.Models.Tensors.DType;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Weights inside branches, loops and functions, and weights from around them.</summary>
internal static class NestedContexts
{
    private static readonly string[] s_withoutBlocksOfFactors =
    [
        "conv inside a branch", "kernels from around branches", "LSTM inside a branch", "conv with a weight from around a scan", "conv in a function", "LSTM in a function",
    ];

    public static IReadOnlyList<WeightContext> All { get; } =
    [.. new[]
    {
        Factors("gather inside a branch", [12, 20], false, (m, w) => If(
            m.Input("ids", I64, 4),
            then => then.Initializer(w).Node("Gather", "W ids", "t").Output("t", F32, 2),
            otherwise => otherwise.Initializer(Random("V", 12, 20)).Node("Gather", "V ids", "o").Output("o", F32, 2))),
        Factors("gemm and constant inside a branch", [12, 20], false, (m, w) => If(
            m.Initializer(Bias(12)).Input("x", F32, 4, 20),
            then => then.Constant(w, "W").Node("Gemm", "x W b", "t", Int("transB", 1)).Output("t", F32, 2),
            otherwise => otherwise.Initializer(Random("V", 20, 12)).Node("MatMul", "x V", "o").Output("o", F32, 2))),
        Factors("conv inside a branch", [12, 5, 2, 2], 12, 20, false, (m, w) => If(
            m.Input("x", F32, 1, 5, 4, 4),
            then => then.Initializer(w).Node("Conv", "x W", "t").Output("t", F32, 4),
            otherwise => otherwise.Constant(Random("", 12, 5, 2, 2), "V").Node("Conv", "x V", "o").Output("o", F32, 4), rank: 4)),
        Factors("kernels from around branches", [12, 5, 2, 2], 12, 20, false, (m, w) => If(
            m.Initializer(w).Input("x", F32, 1, 5, 4, 4),
            then => then.Node("Conv", "x W", "t").Output("t", F32, 4),
            otherwise => otherwise.Node("Neg", "x", "n").Node("Conv", "n W", "o").Output("o", F32, 4), rank: 4)),
        Factors("LSTM inside a branch", [1, 12, 20], 12, 20, false, (m, w) => If(
            m.Initializer(Random("R", 1, 12, 3)).Input("x", F32, 4, 2, 20),
            then => then.Constant(w, "W").Node("LSTM", "x W R", "t", Int("hidden_size", 3)).Output("t", F32, 4),
            otherwise => otherwise.Initializer(Random("V", 1, 12, 20)).Node("LSTM", "x V R", "o", Int("hidden_size", 3)).Output("o", F32, 4), rank: 4)),
        Whole("recurrent weight from around branches", [1, 12, 3], 12, 3, false, (m, w) => If(
            m.Initializer(w).Initializer(Random("I", 1, 12, 20)).Input("x", F32, 4, 2, 20),
            then => then.Node("LSTM", "x I W", "t", Int("hidden_size", 3)).Output("t", F32, 4),
            otherwise => otherwise.Node("LSTM", "x I W", "o", Int("hidden_size", 3), Text("direction", "reverse")).Output("o", F32, 4), rank: 4)),
        Factors("turned around branches", [12, 20], false, (m, w) => If(
            m.Initializer(w).Input("x", F32, 4, 20).Node("Transpose", "W", "T"),
            then => then.Node("MatMul", "x T", "t").Output("t", F32, 2),
            otherwise => otherwise.Node("Neg", "x", "n").Node("MatMul", "n T", "o").Output("o", F32, 2))),
        Factors("turned inside a branch", [12, 20], false, (m, w) => If(
            m.Initializer(w).Input("x", F32, 4, 20),
            then => then.Node("Transpose", "W", "T").Node("MatMul", "x T", "t").Output("t", F32, 2),
            otherwise => otherwise.Node("Neg", "x", "n").Initializer(Random("V", 20, 12)).Node("MatMul", "n V", "o").Output("o", F32, 2))),
        Factors("matmul inside a loop", [12, 12], true, (m, w) => Loop(
            m.Input("x", F32, 4, 12), body => body.Initializer(w).Node("MatMul", "before W", "after"))),
        Factors("matmul with a weight from around a loop", [12, 12], true, (m, w) => Loop(
            m.Initializer(w).Input("x", F32, 4, 12), body => body.Node("MatMul", "before W", "after"))),
        Factors("gather inside a loop", [12, 20], false, (m, w) => Loop(
            m.Input("x", F32, 20), body => body.Constant(w, "W").Node("Gather", "W i", "row").Node("Add", "row before", "after"))),
        Factors("tied around a loop", [12, 12], false, (m, w) => Loop(
            m.Initializer(w).Input("x", F32, 4, 12).Node("Transpose", "W", "T"),
            body => body.Node("Gather", "W i", "row").Node("Add", "row before", "sum").Node("MatMul", "sum T", "after"))),
        Whole("weight that goes into a loop", [12, 20], 12, 20, false, (m, w) => Loop(
            m.Initializer(w).Input("x", F32, 12, 20), body => body.Node("Add", "before W", "after"))),
        Factors("gemm inside a scan", [12, 20], false, (m, w) => Scan(
            m.Initializer(Bias(12)).Input("x", F32, 3, 4, 20), body => body.Initializer(w).Node("Gemm", "step W b", "made", Int("transB", 1)))) with { MinOpset = 9 },
        Factors("conv with a weight from around a scan", [12, 5, 2, 2], 12, 20, false, (m, w) => Scan(
            m.Initializer(w).Input("x", F32, 3, 1, 5, 4, 4), body => body.Node("Conv", "step W", "made"), rank: 5)) with { MinOpset = 9 },
        Factors("branch inside a loop", [12, 12], true, (m, w) => Loop(
            m.Input("x", F32, 4, 12).Input("c", Bool),
            body =>
            {
                var then = body.Subgraph("then").Constant(w, "W").Node("MatMul", "before W", "t").Output("t", F32, 2);
                var otherwise = body.Subgraph("else").Node("Neg", "before", "o").Output("o", F32, 2);
                return body.Node("If", "c", "after", Graphs("then_branch", then), Graphs("else_branch", otherwise));
            })),
        Function("gather in a function", [12, 20], 12, 20, false, m => m.Input("ids", I64, 4), "ids", 2, (body, w) => body.Constant(w, "W").Node("Gather", "W ids", "y")),
        Function("gemm in a function", [12, 20], 12, 20, false, m => m.Input("x", F32, 4, 20), "x", 2, (body, w) => body
            .Constant(w, "W").Constant(Bias(12), "b").Node("Gemm", "x W b", "y", Int("transB", 1))),
        Function("turned in a function", [12, 20], 12, 20, false, m => m.Input("x", F32, 4, 20), "x", 2, (body, w) => body
            .Constant(w, "W").Node("Transpose", "W", "t").Node("MatMul", "x t", "y")),
        Function("conv in a function", [12, 5, 2, 2], 12, 20, false, m => m.Input("x", F32, 1, 5, 4, 4), "x", 4, (body, w) => body.Constant(w, "W").Node("Conv", "x W", "y")),
        Function("LSTM in a function", [1, 12, 20], 12, 20, false, m => m.Input("x", F32, 4, 2, 20), "x", 4, (body, w) => body
            .Constant(w, "W").Constant(Random("R", 1, 12, 3), "R").Node("LSTM", "x W R", "y", Int("hidden_size", 3))),
    }.Select(context => context with { WithoutBlocksOfFactors = s_withoutBlocksOfFactors.Contains(context.Name) })];

    // x goes round three times, as before and after; i counts.
    private static TestModel Loop(TestModel model, Func<TestModel, TestModel> add)
    {
        var x = model.Graph.Inputs.Single(input => string.Equals(input.Name, "x", StringComparison.Ordinal));
        long[] shape = [.. x.Shape.Select(size => size.Value!.Value)];
        var body = add(model.Subgraph("body").Input("i", I64).Input("on", Bool).Input("before", F32, shape));
        body.Node("Identity", "on", "still").Output("still", Bool, 0).Output("after", F32, shape.Length);
        return model.Initializer(Longs("times", new TensorShape(), 3)).Node("Loop", "times _ x", "y", Graphs("body", body)).Output("y", F32, shape.Length);
    }

    // Each step of x becomes one of y.
    private static TestModel Scan(TestModel model, Func<TestModel, TestModel> add, int rank = 3)
    {
        var x = model.Graph.Inputs.Single(input => string.Equals(input.Name, "x", StringComparison.Ordinal));
        var body = add(model.Subgraph("body").Input("step", F32, [.. x.Shape.Skip(1).Select(size => size.Value!.Value)])).Output("made", F32, rank - 1);
        return model.Node("Scan", "x", "y", Graphs("body", body), Int("num_scan_inputs", 1)).Output("y", F32, rank);
    }

    private static WeightContext Function(
        string name, long[] shape, int rows, int columns, bool transposed, Action<TestModel> addInput, string input, int rank, Action<TestModel, Tensor> add)
        => Factors(name, shape, rows, columns, transposed, (m, w) =>
        {
            var body = Create(m.Program.Opset);
            add(body, w);
            var function = new GraphFunction { Name = "Own", Domain = "own", Body = new ModelGraph { Name = "Own" } };
            function.Body.Nodes.AddRange(body.Graph.Nodes);
            function.Inputs.Add(input);
            function.Outputs.Add("y");
            function.Opsets.Add("", m.Program.Opset);
            m.Program.Functions.Add(function);
            m.Program.Opsets.Add("own", 1);
            addInput(m);
            m.Node("Own", input, "y").Output("y", F32, rank);
            m.Graph.Nodes[^1].Domain = "own";
        }) with { MinOpset = 9 };
}
