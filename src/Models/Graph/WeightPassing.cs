using System.Collections.Immutable;
using Condense.Models.Formats.Onnx;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>Follows a weight through nodes that change its shape, its orientation or its type, and nothing else.</summary>
internal static class WeightPassing
{
    // More dimensions than any consumer takes. Each node of a chain keeps its shape: without a bound, nodes that add axes make a short file a large one.
    private const int MaxRank = 8;

    /// <summary>What comes out of a node that a weight goes into as the first input; null when that is more than the weight in another guise. O(rank).</summary>
    /// <param name="node">The node.</param>
    /// <param name="place">What goes in.</param>
    /// <param name="numbers">The whole numbers that a constant of a name holds; null for any other value.</param>
    public static WeightPlace? Through(Node node, WeightPlace place, Func<string, ImmutableArray<long>?> numbers)
    {
        if (node.Domain is not ("" or "ai.onnx") || node.Outputs.Count != 1 || node.Outputs[0].Length == 0)
        {
            return null;
        }

        switch (node.OpType)
        {
            case "Identity":
                return place;
            case "Cast":
                return node.Attribute("to") is { Ints: [var to] } && OnnxDType.FromCode(to) is DType.F32 or DType.F16 or DType.BF16 or DType.F64
                    ? place with { Type = OnnxDType.FromCode(to)!.Value }
                    : null;
            case "Transpose":
                return Transpose(node, place);
            case "Reshape":
                return WithShape(place, Setting(node, "shape", numbers) is { } target ? Reshaped(place.Shape, target, node.Attribute("allowzero") is { Ints: [not 0] }) : null);
            case "Flatten":
                return WithShape(place, Flattened(place.Shape, node.Attribute("axis") is { } attribute ? attribute.Ints : [1]));
            case "Squeeze":
                bool all = node.Attribute("axes") is null && (node.Inputs.Count < 2 || node.Inputs[1].Length == 0);
                return WithShape(place, all ? [.. place.Shape.Dimensions.Where(size => size != 1)] : Squeezed(place.Shape, Setting(node, "axes", numbers)));
            case "Unsqueeze":
                return WithShape(place, Unsqueezed(place.Shape, Setting(node, "axes", numbers)));
            default:
                return null;
        }
    }

    // Older operator sets have an attribute where newer ones have a second input.
    private static ImmutableArray<long>? Setting(Node node, string name, Func<string, ImmutableArray<long>?> numbers)
        => node.Attribute(name) is { } attribute ? attribute.Reference.Length == 0 ? attribute.Ints : null
            : node.Inputs.Count > 1 ? numbers(node.Inputs[1])
            : null;

    private static WeightPlace? WithShape(WeightPlace place, ImmutableArray<long>? dimensions)
    {
        if (dimensions is not { Length: <= MaxRank } sizes || sizes.Any(size => size < 1))
        {
            return null;
        }

        // The elements are at least 1 and at most an array's: a product that passes them can stop.
        long count = 1;
        foreach (long size in sizes)
        {
            count = size > place.Shape.ElementCount ? 0 : count * size;
            if (count is 0 || count > place.Shape.ElementCount)
            {
                return null;
            }
        }

        return count == place.Shape.ElementCount ? place with { Shape = new TensorShape(sizes.AsSpan()) } : null;
    }

    private static ImmutableArray<long>? Reshaped(TensorShape shape, ImmutableArray<long> target, bool allowZero)
    {
        long[] sizes = [.. target];
        long known = 1;
        int open = -1;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == 0 && !allowZero && i < shape.Rank)
            {
                sizes[i] = shape[i];
            }

            if (sizes[i] == -1 && open < 0)
            {
                open = i;
            }
            else if (sizes[i] < 1 || sizes[i] > shape.ElementCount / known)
            {
                return null;
            }
            else
            {
                known *= sizes[i];
            }
        }

        if (open >= 0)
        {
            sizes[open] = shape.ElementCount / known;
        }

        return [.. sizes];
    }

    private static ImmutableArray<long>? Flattened(TensorShape shape, ImmutableArray<long> setting)
    {
        if (setting is not [var axis] || axis < -shape.Rank || axis > shape.Rank)
        {
            return null;
        }

        long rows = 1;
        foreach (long size in shape.Dimensions.AsSpan()[..(int)(axis < 0 ? axis + shape.Rank : axis)])
        {
            rows *= size;
        }

        return [rows, shape.ElementCount / rows];
    }

    private static ImmutableArray<long>? Squeezed(TensorShape shape, ImmutableArray<long>? axes)
    {
        if (axes is not { } given || given.Any(axis => axis < -shape.Rank || axis >= shape.Rank))
        {
            return null;
        }

        var gone = given.Select(axis => (int)(axis < 0 ? axis + shape.Rank : axis)).ToHashSet();
        return [.. shape.Dimensions.Where((_, axis) => !gone.Contains(axis))];
    }

    private static ImmutableArray<long>? Unsqueezed(TensorShape shape, ImmutableArray<long>? axes)
    {
        int rank = shape.Rank + (axes?.Length ?? 0);
        if (axes is not { } given || rank > MaxRank || given.Any(axis => axis < -rank || axis >= rank))
        {
            return null;
        }

        var added = given.Select(axis => (int)(axis < 0 ? axis + rank : axis)).ToHashSet();
        if (added.Count != given.Length)
        {
            return null;
        }

        int next = 0;
        return [.. Enumerable.Range(0, rank).Select(axis => added.Contains(axis) ? 1 : shape[next++])];
    }

    // Axes of length 1 stand anywhere without moving an element. The others either keep their order, or the last ones go in front of the first ones as
    // two groups: the value is then the transpose of a matrix.
    private static WeightPlace? Transpose(Node node, WeightPlace place)
    {
        var shape = place.Shape;
        if (shape.Rank > MaxRank)
        {
            return null;
        }

        long[] order = node.Attribute("perm") is { } perm
            ? perm.Reference.Length == 0 ? [.. perm.Ints] : []
            : [.. Enumerable.Range(0, shape.Rank).Select(axis => (long)(shape.Rank - 1 - axis))];
        if (order.Length != shape.Rank || !order.Order().SequenceEqual(Enumerable.Range(0, shape.Rank).Select(axis => (long)axis)))
        {
            return null;
        }

        var result = new TensorShape([.. order.Select(axis => shape[(int)axis])]);
        long[] moved = [.. order.Where(axis => shape[(int)axis] != 1)];
        int fall = Enumerable.Range(1, Math.Max(0, moved.Length - 1)).FirstOrDefault(i => moved[i] < moved[i - 1]);
        if (fall == 0)
        {
            return place with { Shape = result };
        }

        bool twoGroups = moved[^1] < moved[0] && Enumerable.Range(fall + 1, moved.Length - fall - 1).All(i => moved[i] > moved[i - 1]);
        return twoGroups ? place.Turn(moved[fall..].Aggregate(1L, (product, axis) => product * shape[(int)axis]), result) : null;
    }
}
