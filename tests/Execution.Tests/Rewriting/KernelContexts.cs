using Condense.Models.Tensors;
using static Condense.Execution.Tests.Rewriting.WeightContexts;
using static Condense.Execution.Tests.TestModel;
using static Condense.Models.Tensors.DType;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>Convolutions and recurrent layers.</summary>
internal static class KernelContexts
{
    public static IReadOnlyList<WeightContext> All { get; } =
    [.. new[]
    {
        Factors("conv", [12, 5, 2, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 1, 5, 6, 6).Node("Conv", "x W b", "y", Ints("kernel_shape", 2, 2)).Output("y", F32, 4)),
        Factors("conv of width 1", [12, 20, 1, 1], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 1, 20, 3, 3).Node("Conv", "x W", "y", Ints("kernel_shape", 1, 1)).Output("y", F32, 4)),
        Factors("conv with strides, padding and dilation", [12, 5, 2, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 2, 5, 7, 8)
            .Node("Conv", "x W b", "y", Ints("strides", 2, 1), Ints("pads", 1, 0, 2, 1), Ints("dilations", 2, 3), Int("group", 1)).Output("y", F32, 4)),
        Factors("conv padded to the same size", [12, 5, 2, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 1, 5, 5, 7).Node("Conv", "x W", "y", Text("auto_pad", "SAME_UPPER"), Ints("strides", 2, 2), Ints("kernel_shape", 2, 2))
            .Output("y", F32, 4)),
        Factors("conv over one axis", [12, 5, 4], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 2, 5, 9).Node("Conv", "x W b", "y", Ints("pads", 1, 2), Ints("strides", 2)).Output("y", F32, 3)),
        Factors("conv over three axes", [12, 5, 2, 1, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 1, 5, 4, 3, 4).Node("Conv", "x W b", "y", Ints("kernel_shape", 2, 1, 2)).Output("y", F32, 5)),
        Factors("two convs with the same kernels", [12, 5, 2, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Input("x", F32, 1, 5, 6, 6).Input("z", F32, 1, 5, 4, 4).Node("Conv", "x W", "y").Node("Conv", "z W", "v", Ints("pads", 1, 1, 1, 1))
            .Output("y", F32, 4).Output("v", F32, 4)),
        Whole("conv in groups", [12, 5, 2, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Bias(12)).Input("x", F32, 1, 15, 4, 4).Node("Conv", "x W b", "y", Int("group", 3)).Output("y", F32, 4)),
        Whole("conv of each channel", [12, 1, 3, 3], 12, 9, false, (m, w) => m
            .Initializer(w).Input("x", F32, 1, 12, 5, 5).Node("Conv", "x W", "y", Int("group", 12)).Output("y", F32, 4)),
        Whole("transposed conv", [12, 5, 2, 2], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Bias(5)).Input("x", F32, 1, 12, 3, 3).Node("ConvTranspose", "x W b", "y", Ints("strides", 2, 2)).Output("y", F32, 4)),
        Factors("LSTM input", [1, 12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 1, 12, 3)).Input("x", F32, 4, 2, 20).Node("LSTM", "x W R", "y", Int("hidden_size", 3)).Output("y", F32, 4)),
        Factors("LSTM input with everything around it", [1, 12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 1, 12, 3)).Initializer(Random("B", 1, 24)).Initializer(Lengths(4, 2)).Initializer(Random("h", 1, 2, 3))
            .Initializer(Random("c0", 1, 2, 3)).Initializer(Random("P", 1, 9)).Input("x", F32, 4, 2, 20)
            .Node("LSTM", "x W R B n h c0 P", "_ y v", Int("hidden_size", 3), Text("direction", "reverse"), Float("clip", 0.8f), Int("input_forget", 1))
            .Output("y", F32, 3).Output("v", F32, 3)),
        Factors("LSTM input, both directions", [2, 12, 20], 24, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 2, 12, 3)).Initializer(Random("B", 2, 24)).Input("x", F32, 4, 2, 20)
            .Node("LSTM", "x W R B", "y v u", Int("hidden_size", 3), Text("direction", "bidirectional")).Output("y", F32, 4).Output("v", F32, 3).Output("u", F32, 3)),
        Factors("LSTM input behind an LSTM", [2, 8, 20], 16, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 2, 8, 2)).Initializer(Random("W0", 2, 40, 6)).Initializer(Random("R0", 2, 40, 10))
            .Initializer(Longs("s", new TensorShape(3), 0, 0, -1)).Input("x", F32, 4, 2, 6)
            .Node("LSTM", "x W0 R0", "f", Int("hidden_size", 10), Text("direction", "bidirectional")).Node("Transpose", "f", "t", Ints("perm", 0, 2, 1, 3))
            .Node("Reshape", "t s", "r").Node("LSTM", "r W R", "y", Int("hidden_size", 2), Text("direction", "bidirectional")).Output("y", F32, 4)),
        Whole("LSTM recurrent", [1, 12, 3], 12, 3, false, (m, w) => m
            .Initializer(w).Initializer(Random("I", 1, 12, 20)).Input("x", F32, 4, 2, 20).Node("LSTM", "x I W", "y", Int("hidden_size", 3)).Output("y", F32, 4)),
        Whole("LSTM recurrent, both directions", [2, 12, 3], 24, 3, false, (m, w) => m
            .Initializer(w).Initializer(Random("I", 2, 12, 20)).Input("x", F32, 4, 2, 20)
            .Node("LSTM", "x I W", "y", Int("hidden_size", 3), Text("direction", "bidirectional")).Output("y", F32, 4)),
        Factors("GRU input", [1, 12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 1, 12, 4)).Initializer(Random("B", 1, 24)).Input("x", F32, 4, 2, 20)
            .Node("GRU", "x W R B", "y v", Int("hidden_size", 4), Int("linear_before_reset", 1)).Output("y", F32, 4).Output("v", F32, 3)),
        Factors("GRU input, both directions", [2, 12, 20], 24, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 2, 12, 4)).Initializer(Random("B", 2, 24)).Initializer(Lengths(3, 4)).Initializer(Random("h", 2, 2, 4))
            .Input("x", F32, 4, 2, 20).Node("GRU", "x W R B n h", "y", Int("hidden_size", 4), Text("direction", "bidirectional")).Output("y", F32, 4)),
        Whole("GRU recurrent", [1, 12, 4], 12, 4, false, (m, w) => m
            .Initializer(w).Initializer(Random("I", 1, 12, 20)).Input("x", F32, 4, 2, 20).Node("GRU", "x I W", "y", Int("hidden_size", 4)).Output("y", F32, 4)),
        Factors("RNN input", [1, 12, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 1, 12, 12)).Initializer(Random("B", 1, 24)).Input("x", F32, 4, 2, 20)
            .Node("RNN", "x W R B", "y", Int("hidden_size", 12)).Output("y", F32, 4)),
        Factors("RNN input, both directions", [2, 6, 20], 12, 20, false, (m, w) => m
            .Initializer(w).Initializer(Random("R", 2, 6, 6)).Input("x", F32, 4, 2, 20)
            .Node("RNN", "x W R", "y", Int("hidden_size", 6), Text("direction", "bidirectional")).Output("y", F32, 4)),
        Whole("RNN recurrent", [1, 12, 12], 12, 12, false, (m, w) => m
            .Initializer(w).Initializer(Random("I", 1, 12, 20)).Input("x", F32, 4, 2, 20).Node("RNN", "x I W", "y", Int("hidden_size", 12)).Output("y", F32, 4)),
    }.Select(context => context with { WithoutBlocksOfFactors = true })];

    private static Tensor Lengths(params int[] lengths)
        => new("n", I32, new TensorShape(lengths.Length), new MemoryTensorData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(lengths.AsSpan()).ToArray()));
}
