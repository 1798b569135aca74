namespace Condense.Models.Rewriting.Onnx;

/// <summary>Where a graph may hold a constant.</summary>
internal enum ConstantPlace
{
    /// <summary>Among the initializers.</summary>
    Initializer,

    /// <summary>Among the initializers, and named as an input too: the main graph of a file of IR version 3 or older.</summary>
    InitializerAndInput,

    /// <summary>In a Constant node: a function's body has no initializers, nor has a subgraph of a file of IR version 3 or older.</summary>
    Node,
}
