using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>A weight that a file stores as integer codes and a <c>DequantizeLinear</c> widens.</summary>
/// <param name="Weight">The weight as f32: its bytes are widened when they are read.</param>
/// <param name="Stored">The tensors of the file that make it up: codes, scales and, where there are any, zero points.</param>
internal sealed record QuantizedWeight(Tensor Weight, ImmutableArray<Tensor> Stored)
{
    /// <summary>The weight that a node widens; null when it does something else, or something that is not understood. O(rank).</summary>
    /// <param name="node">The node.</param>
    /// <param name="graph">The graph that holds it.</param>
    /// <param name="constants">The constants of the program.</param>
    public static QuantizedWeight? Of(Node node, ModelGraph graph, GraphConstants constants)
    {
        if (!node.Is("DequantizeLinear") || node.Outputs.Count != 1 || node.Inputs.Count is < 2 or > 3 || node.Attribute("output_dtype") is not null)
        {
            return null;
        }

        bool hasZeros = node.Inputs.Count > 2 && node.Inputs[2].Length > 0;
        if (constants.Tensor(node.Inputs[0], graph) is not { DType: DType.I8 or DType.U8 or DType.I4 or DType.U4 } codes
            || constants.Tensor(node.Inputs[1], graph) is not { DType: DType.F32 } scales)
        {
            return null;
        }

        var zeros = hasZeros ? constants.Tensor(node.Inputs[2], graph) : null;
        if (hasZeros && (zeros is null || zeros.DType != codes.DType || !zeros.Shape.Equals(scales.Shape)))
        {
            return null;
        }

        if (PlacementOf(node, codes.Shape, scales.Shape) is not var (axis, blockSize) || codes.Shape.Rank < 2 || codes.Shape.ElementCount is 0 || codes.Shape.ElementCount > Array.MaxLength)
        {
            return null;
        }

        return new(
            new Tensor(codes.Name, DType.F32, codes.Shape, new DequantizedTensorData(codes, scales, zeros, axis, blockSize)),
            zeros is null ? [codes, scales] : [codes, scales, zeros]);
    }

    /// <summary>The axis along which scales differ and how many places on it share one; (−1, 1) for one scale; null when the shapes do not fit.</summary>
    private static (int Axis, long BlockSize)? PlacementOf(Node node, TensorShape codes, TensorShape scales)
    {
        if (node.Attribute("axis") is { } given && (given.Reference.Length > 0 || given.Ints.Length != 1))
        {
            return null;
        }

        if (scales.Rank == 0 || (scales.Rank == 1 && scales[0] == 1))
        {
            return (-1, 1);
        }

        long axis = node.Attribute("axis")?.Ints[0] ?? 1;
        axis = axis < 0 ? axis + codes.Rank : axis;
        if (axis < 0 || axis >= codes.Rank)
        {
            return null;
        }

        if (scales.Rank == 1)
        {
            return scales[0] == codes[(int)axis] ? ((int)axis, 1) : null;
        }

        if (node.Attribute("block_size") is not { Reference: "", Ints: [> 0 and var blockSize] })
        {
            return null;
        }

        var expected = codes.Dimensions.SetItem((int)axis, ((codes[(int)axis] - 1) / blockSize) + 1);
        return expected.AsSpan().SequenceEqual(scales.Dimensions.AsSpan()) ? ((int)axis, blockSize) : null;
    }
}
