namespace Condense.Models.Rewriting.Onnx;

/// <summary>What a node does with a weight, as far as it matters for putting a structure in the weight's place.</summary>
internal enum ConsumerKind
{
    /// <summary>Looks rows of the stored matrix up.</summary>
    Gather,

    /// <summary>Multiplies with it.</summary>
    MatMul,

    /// <summary>Multiplies with it or its transpose, and may add.</summary>
    Gemm,

    /// <summary>Convolves with it, all channels together.</summary>
    Conv,

    /// <summary>A recurrent layer's input matrix: multiplies what comes in with it, for each step.</summary>
    RecurrentInput,

    /// <summary>Anything else: it wants the weight itself.</summary>
    Other,
}
