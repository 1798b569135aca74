using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>Finds the weights of a model that can be compressed, and what they do: from the graph, or from names and shapes where there is none.</summary>
public static class LayerFinder
{
    /// <summary>
    /// All floating-point tensors of two or more dimensions that are not empty, in the order of the file: initializers and weights in Constant
    /// nodes, those of subgraphs too; and weights that are stored as integer codes with scales in front of a <c>DequantizeLinear</c>. A tensor of more than <see cref="Array.MaxLength"/> elements is none of them: it
    /// stays as it is. So does an initializer that is also an input of its graph, from IR version 4 on: whoever runs the model may pass another.
    /// O(nodes + tensors).
    /// </summary>
    /// <remarks>
    /// Role and orientation are those of the first consumer, looked for behind nodes that only shape, turn or cast; a table that is looked up anywhere is an
    /// <see cref="WeightRole.Embedding"/> even if it also projects. A stack of matrices (a <c>MatMul</c> weight of three or more dimensions) is seen
    /// as one matrix of all their rows, a recurrent weight as one of all directions and gates, any other as its first dimension by the rest.
    /// Two weights of one name (in two subgraphs) are told apart by <c>#2</c>, <c>#3</c>, … behind the later ones.
    /// </remarks>
    /// <param name="model">The model.</param>
    public static ImmutableArray<Layer> Find(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Program is { } program ? new ProgramLayers(program).Find() : NamedLayers.Find(model.Tensors);
    }

    /// <summary>Whether a tensor is a weight that a matrix can stand for.</summary>
    internal static bool IsWeight(Tensor tensor) =>
        tensor.DType is DType.F64 or DType.F32 or DType.F16 or DType.BF16
        && tensor.Shape.Rank >= 2
        && tensor.Shape.ElementCount > 0
        && tensor.Shape.ElementCount <= Array.MaxLength;
}
