using Condense.Models.Tensors;
using static Condense.Execution.Tests.Rewriting.WeightContexts;
using static Condense.Execution.Tests.TestModel;
using static Condense.Models.Tensors.DType;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Weights that reach their consumer through nodes that turn, shape or cast them.</summary>
internal static class PassedContexts
{
    private static readonly string[] s_withoutBlocksOfFactors =
    [
        "transpose, weight first", "transpose into gemm transB", "stack of one", "stack of one, weight first", "stack of one, turned", "reshape to kernels", "kernels that are a matrix elsewhere", "reshape to gates", "turned and as it is",
    ];

    public static IReadOnlyList<WeightContext> All { get; } =
    [.. new[]
    {
        Factors("transpose", [12, 20], false, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Transpose", "W", "t", Ints("perm", 1, 0)).Node("MatMul", "x t", "y").Output("y", F32, 2)),
        Factors("transpose, weight first", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 20, 3).Node("Transpose", "W", "t").Node("MatMul", "t x", "y").Output("y", F32, 3)),
        Factors("transpose into gemm", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 20, 4).Node("Transpose", "W", "t")
            .Node("Gemm", "x t b", "y", Int("transA", 1), Float("alpha", 0.7f)).Output("y", F32, 2)),
        Factors("transpose into gemm transB", [20, 12], true, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 4, 20).Node("Transpose", "W", "t").Node("Gemm", "x t b", "y", Int("transB", 1), Float("beta", 2)).Output("y", F32, 2)),
        Factors("transpose into gemm, weight first", [20, 12], true, (m, w) => m
            .Initializer(w).Initializer(Bias(5)).Input("x", F32, 5, 20).Node("Transpose", "W", "t").Node("Gemm", "t x b", "y", Int("transB", 1)).Output("y", F32, 2)),
        Factors("tied through a transpose", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I64, 2, 3).Node("Transpose", "W", "t").Node("Gather", "W ids", "e").Node("MatMul", "e t", "y").Output("y", F32, 3)),
        Factors("turned twice", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Transpose", "W", "t").Node("Identity", "t", "i").Node("Transpose", "i", "u").Node("MatMul", "x u", "y").Output("y", F32, 2)),
        Factors("cast", [20, 12], true, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Cast", "W", "t", Int("to", 1)).Node("MatMul", "x t", "y").Output("y", F32, 2)) with { Type = F64 },
        Factors("cast and transpose", [12, 20], false, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Cast", "W", "t", Int("to", 1)).Node("Transpose", "t", "u").Node("MatMul", "x u", "y").Output("y", F32, 2)) with { Type = F64 },
        Factors("cast in front of a gather", [12, 20], false, (m, w) => m
            .Initializer(w).Input("ids", I64, 4).Node("Cast", "W", "t", Int("to", 1)).Node("Gather", "t ids", "y").Output("y", F32, 2)) with { Type = F64 },
        Factors("reshape of a stack of one", [1, 20, 12], 12, 20, true, (m, w) => m
            .Initializer(w).Initializer(Longs("s", new TensorShape(2), 20, -1)).Input("x", F32, 4, 20).Node("Reshape", "W s", "t").Node("MatMul", "x t", "y").Output("y", F32, 2)),
        Factors("stack of one", [1, 20, 12], 12, 20, true, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("MatMul", "x W", "y").Output("y", F32, 3)),
        Factors("stack of one, weight first", [1, 1, 12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 20, 3).Node("MatMul", "W x", "y").Output("y", F32, 4)),
        Factors("stack of one, turned", [12, 20, 1, 1], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 2, 3, 3, 20).Node("Transpose", "W", "t", Ints("perm", 2, 3, 1, 0)).Node("MatMul", "x t", "y").Output("y", F32, 4)),
        Factors("reshape to another matrix", [12, 20], 12, 20, true, (m, w) => m
            .Initializer(w).Initializer(Longs("s", new TensorShape(2), 20, 12)).Input("x", F64, 1, 20).Node("Reshape", "W s", "r").Node("MatMul", "x r", "y")
            .Output("y", F64, 2)) with { Type = F64 },
        Factors("reshape in front of a gather", [3, 4, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Constant(Longs("", new TensorShape(2), -1, 20), "s").Input("ids", I64, 2, 3).Node("Reshape", "W s", "t").Node("Gather", "t ids", "y").Output("y", F32, 3))
            with { Ids = 12 },
        Factors("reshape to kernels", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Longs("s", new TensorShape(4), 0, 20, 1, -1)).Input("x", F32, 1, 20, 3, 3)
            .Node("Reshape", "W s", "t").Node("Conv", "x t", "y").Output("y", F32, 4)),
        Factors("reshape from kernels", [12, 20, 1, 1], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Flatten", "W", "t").Node("Gemm", "x t", "y", Int("transB", 1)).Output("y", F32, 2)) with { MinOpset = 11 },
        Factors("kernels that are a matrix elsewhere", [12, 20, 1, 1], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Longs("s", new TensorShape(2), 12, 20)).Input("z", F32, 1, 20, 2, 2).Input("x", F32, 20, 3)
            .Node("Conv", "z W", "v").Node("Reshape", "W s", "t").Node("MatMul", "t x", "y").Output("y", F32, 2).Output("v", F32, 4)),
        Factors("reshape to gates", [12, 20], false, (m, w) => m
            .Initializer(w).Initializer(Longs("s", new TensorShape(3), 1, 12, 20)).Initializer(Random("R", 1, 12, 3)).Input("x", F32, 4, 2, 20)
            .Node("Reshape", "W s", "t").Node("LSTM", "x t R", "y", Int("hidden_size", 3)).Output("y", F32, 4)),
        Factors("turned and as it is", [12, 20], false, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Input("z", F32, 20, 3).Node("Transpose", "W", "t").Node("MatMul", "x t", "y").Node("MatMul", "W z", "v")
            .Output("y", F32, 2).Output("v", F32, 2)),
        Whole("turned for one that wants it whole", [12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 20, 12).Node("Transpose", "W", "t").Node("Neg", "t", "n").Node("Add", "x t", "z").Node("Mul", "z n", "y").Output("y", F32, 2)),
        Whole("turned table", [20, 12], 12, 20, true, (m, w) => m
            .Initializer(w).Input("ids", I64, 3).Node("Transpose", "W", "t").Node("Gather", "t ids", "y").Output("y", F32, 2)) with { Ids = 12 },
        Whole("reshape across rows", [12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Longs("s", new TensorShape(2), 15, 16)).Input("x", F32, 4, 20).Input("z", F32, 2, 15)
            .Node("Transpose", "W", "t").Node("MatMul", "x t", "y").Node("Reshape", "W s", "r").Node("MatMul", "z r", "v").Output("y", F32, 2).Output("v", F32, 2)),
        Whole("transpose of three axes", [12, 4, 5], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 12, 2, 5).Node("Transpose", "W", "t", Ints("perm", 0, 2, 1)).Node("MatMul", "x t", "y").Output("y", F32, 3)),
        Whole("turned and given out", [12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 4, 20).Node("Transpose", "W", "t").Node("MatMul", "x t", "y").Output("y", F32, 2).Output("t", F32, 2)),
    }.Select(context => context with { WithoutBlocksOfFactors = s_withoutBlocksOfFactors.Contains(context.Name) })];
}
