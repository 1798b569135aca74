using Condense.Models.Tensors;
using static Condense.Execution.Tests.TestModel;
using static Condense.Models.Tensors.DType;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>The ways in which graphs use weights. W is 12×20 in most, so that groups of 8 leave a short one.</summary>
internal static class WeightContexts
{
    // A property: lists of contexts in other files ask for it before fields here are set.
    private static float[] Biases => [.. Enumerable.Range(0, 96).Select(i => (i % 20 * 0.37f) - 3)];

    public static IReadOnlyList<WeightContext> All { get; } =
    [
        Factors("gather", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I64, 2, 3).Node("Gather", "W ids", "y").Output("y", F32, 3)),
        Factors("gather one row", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I64).Node("Gather", "W ids", "y", Int("axis", -2)).Output("y", F32, 1)),
        Factors("gather by int32", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I32, 5).Node("Gather", "W ids", "y", Int("axis", 0)).Output("y", F32, 2)),
        Factors("gather from a transposed table", [20, 12], true, (m, w) => m
            .Initializer(w).Input("ids", I64, 2, 3).Node("Gather", "W ids", "y").Output("y", F32, 3)) with { AsFound = false },
        Factors("matmul", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("MatMul", "x W", "y").Output("y", F32, 2)),
        Factors("matmul of a vector", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 20).Node("MatMul", "x W", "y").Output("y", F32, 1)),
        Factors("matmul in 3 dimensions", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 3, 20).Node("MatMul", "x W", "y").Output("y", F32, 3)),
        Factors("matmul in 4 dimensions", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 2, 3, 20).Node("MatMul", "x W", "y").Output("y", F32, 4)),
        Factors("matmul, weight first", [12, 20], false, (m, w) => m
            .Initializer(w).Input("x", F32, 20, 5).Node("MatMul", "W x", "y").Output("y", F32, 2)),
        Factors("matmul, weight first, batched", [12, 20], false, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 20, 5).Node("MatMul", "W x", "y").Output("y", F32, 3)),
        Factors("gemm", [20, 12], true, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 4, 20).Node("Gemm", "x W b", "y").Output("y", F32, 2)),
        Factors("gemm without bias", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Gemm", "x W", "y", Float("alpha", 0.7f)).Output("y", F32, 2)) with { MinOpset = 11 },
        Factors("gemm transB", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 4, 20).Node("Gemm", "x W b", "y", Int("transB", 1), Float("alpha", 0.7f), Float("beta", 1.5f))
            .Output("y", F32, 2)),
        Factors("gemm transA", [20, 12], true, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 20, 4).Node("Gemm", "x W b", "y", Int("transA", 1), Float("alpha", 2)).Output("y", F32, 2)),
        Factors("gemm, both transposed", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 20, 4).Node("Gemm", "x W b", "y", Int("transA", 1), Int("transB", 1)).Output("y", F32, 2)),
        Factors("gemm, weight first", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Bias(5)).Input("x", F32, 20, 5).Node("Gemm", "W x b", "y", Float("alpha", 0.5f)).Output("y", F32, 2)),
        Factors("gemm, weight first, both transposed", [20, 12], true, (m, w) => m
            .Initializer(w).Initializer(Bias(5)).Input("x", F32, 5, 20).Node("Gemm", "W x b", "y", Int("transA", 1), Int("transB", 1), Float("beta", 0.5f))
            .Output("y", F32, 2)),
        Factors("two consumers", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Input("z", F32, 3, 20).Node("MatMul", "x W", "y").Node("MatMul", "z W", "v").Output("y", F32, 2).Output("v", F32, 2)),
        Factors("tied, gather and matmul", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I64, 2, 3).Input("x", F32, 4, 12).Node("Gather", "W ids", "y").Node("MatMul", "x W", "v")
            .Output("y", F32, 3).Output("v", F32, 2)),
        Factors("tied, gather and gemm transB", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("ids", I64, 4).Node("Gather", "W ids", "e").Node("Gemm", "e W b", "y", Int("transB", 1)).Output("y", F32, 2)),
        Factors("constant node", [20, 12], true, (m, w) => m
            .Constant(w with { Name = "" }, "W").Input("x", F32, 4, 20).Node("MatMul", "x W", "y").Output("y", F32, 2)),
        Factors("constant node, gather", [12, 20], false, (m, w) => m
            .Constant(w, "W").Input("ids", I64, 2, 3).Node("Gather", "W ids", "y").Output("y", F32, 3)),
        Factors("inside a branch", [20, 12], true, (m, w) => If(
            m.Input("x", F32, 4, 20),
            then => then.Initializer(w).Node("MatMul", "x W", "t").Output("t", F32, 2),
            otherwise => otherwise.Initializer(Floats("V", new TensorShape(20, 12), new float[240])).Node("MatMul", "x V", "o").Output("o", F32, 2))),
        Factors("constant inside a branch", [20, 12], true, (m, w) => If(
            m.Input("x", F32, 4, 20),
            then => then.Constant(w, "W").Node("MatMul", "x W", "t").Output("t", F32, 2),
            otherwise => otherwise.Initializer(Floats("V", new TensorShape(20, 12), new float[240])).Node("MatMul", "x V", "o").Output("o", F32, 2))),
        Factors("used from inside branches", [20, 12], true, (m, w) => If(
            m.Initializer(w).Input("x", F32, 4, 20),
            then => then.Node("MatMul", "x W", "t").Output("t", F32, 2),
            otherwise => otherwise.Node("Neg", "x", "n").Node("MatMul", "n W", "o").Output("o", F32, 2))),
        Whole("used whole inside a branch and outside", [12, 20], 12, 20, false, (m, w) => If(
            m.Initializer(w).Input("x", F32, 12, 20).Node("Neg", "x", "n"),
            then => then.Node("Add", "n W", "t").Output("t", F32, 2),
            otherwise => otherwise.Node("Sub", "n W", "o").Output("o", F32, 2)).Node("Mul", "x W", "z").Output("z", F32, 2)),
        Whole("batched weight", [2, 20, 12], 40, 12, false, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 4, 20).Node("MatMul", "x W", "y").Output("y", F32, 3)),
        Whole("batched weight, transposed", [2, 20, 12], 12, 40, true, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 4, 20).Node("MatMul", "x W", "y").Output("y", F32, 3)) with { AsFound = false },
        Whole("gather of columns", [12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Input("ids", I64, 3).Node("Gather", "W ids", "y", Int("axis", 1)).Output("y", F32, 2)),
        Whole("weight by itself", [12, 12], 12, 12, false, (m, w) => m
            .Initializer(w).Input("x", F32, 12, 12).Node("MatMul", "W W", "s").Node("MatMul", "x s", "y").Output("y", F32, 2)),
        Whole("graph output", [12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Input("ids", I64, 2, 3).Node("Gather", "W ids", "y").Output("y", F32, 3).Output("W", F32, 2)),
        Factors("f64 gemm", [12, 20], false, (m, w) => m
            .Initializer(w).Input("x", F64, 4, 20).Node("Gemm", "x W", "y", Int("transB", 1)).Output("y", F64, 2)) with { MinOpset = 11, Type = F64 },
        Factors("f64 gather", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I64, 2, 3).Node("Gather", "W ids", "y").Output("y", F64, 3)) with { Type = F64 },
        .. KernelContexts.All,
        .. PassedContexts.All,
        .. NestedContexts.All,
    ];

    public static WeightContext Factors(string name, long[] shape, bool transposed, Action<TestModel, Tensor> add)
        => new(name, shape, (int)shape[transposed ? 1 : 0], (int)shape[transposed ? 0 : 1], transposed, add) { TakesFactors = true };

    public static WeightContext Factors(string name, long[] shape, int rows, int columns, bool transposed, Action<TestModel, Tensor> add)
        => new(name, shape, rows, columns, transposed, add) { TakesFactors = true };

    public static WeightContext Whole(string name, long[] shape, int rows, int columns, bool transposed, Action<TestModel, Tensor> add)
        => new(name, shape, rows, columns, transposed, add);

    public static TestModel If(TestModel model, Action<TestModel> then, Action<TestModel> otherwise, int rank = 2)
    {
        var thenGraph = model.Subgraph("then");
        var elseGraph = model.Subgraph("else");
        then(thenGraph);
        otherwise(elseGraph);

        return model.Input("c", Bool).Node("If", "c", "y", Graphs("then_branch", thenGraph), Graphs("else_branch", elseGraph)).Output("y", F32, rank);
    }

    public static Tensor Bias(int length) => Floats("b", new TensorShape(length), Biases.AsSpan(0, length));

    public static Tensor Random(string name, params long[] shape)
    {
        var random = new Random(7);
        var dimensions = new TensorShape(shape);
        return Floats(name, dimensions, [.. Enumerable.Range(0, (int)dimensions.ElementCount).Select(_ => (float)random.NextDouble() - 0.5f)]);
    }
}
