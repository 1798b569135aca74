namespace Condense.Models.Graph;

/// <summary>What a <see cref="NodeAttribute"/> holds; the numbers are ONNX's.</summary>
public enum AttributeKind
{
    /// <summary>Not stated, or of a kind that is kept as bytes alone.</summary>
    Undefined = 0,

    /// <summary>One number.</summary>
    Float = 1,

    /// <summary>One integer.</summary>
    Int = 2,

    /// <summary>One text.</summary>
    String = 3,

    /// <summary>One tensor.</summary>
    Tensor = 4,

    /// <summary>One subgraph.</summary>
    Graph = 5,

    /// <summary>Numbers.</summary>
    Floats = 6,

    /// <summary>Integers.</summary>
    Ints = 7,

    /// <summary>Texts.</summary>
    Strings = 8,

    /// <summary>Tensors.</summary>
    Tensors = 9,

    /// <summary>Subgraphs.</summary>
    Graphs = 10,

    /// <summary>One sparse tensor, kept as bytes.</summary>
    SparseTensor = 11,

    /// <summary>Sparse tensors, kept as bytes.</summary>
    SparseTensors = 12,

    /// <summary>One type, kept as bytes.</summary>
    TypeProto = 13,

    /// <summary>Types, kept as bytes.</summary>
    TypeProtos = 14,
}
