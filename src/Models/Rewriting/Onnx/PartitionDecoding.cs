using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Nodes that turn the blocks of a partition into a weight: whole, or some of its rows.</summary>
internal static class PartitionDecoding
{
    /// <summary>Adds nodes that decode every block and join them.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="partition">The constants, no factors among the blocks.</param>
    /// <param name="type">The type that the weight is wanted in.</param>
    /// <param name="shape">The shape that it is wanted in; null for that of the joined matrix.</param>
    /// <param name="output">The name of the result.</param>
    public static void Whole(GraphEmitter emitter, StoredPartition partition, DType type, TensorShape? shape, string output)
    {
        string[] blocks = [.. partition.Blocks.Select(block => WeightDecoding.Whole(emitter, block.Weight, type))];
        var chain = new NodeChain(emitter, blocks[0], output).Then("Concat", blocks[1..], Attributes.Int("axis", partition.Axis));
        if (partition.Permutation is { } places)
        {
            chain.Then("Gather", [places], Attributes.Int("axis", partition.Axis));
        }

        if (shape is not null && !shape.Equals(partition.Shape))
        {
            chain.Then("Reshape", [emitter.Dimensions(shape.Dimensions)]);
        }

        chain.End(output);
    }

    /// <summary>
    /// Rows of a partition, in f32: each block is asked for as many rows as there are ids, for its first row where an id is not its own, and the block
    /// that has the id is chosen afterwards. Numbers of rows may be negative.
    /// </summary>
    /// <param name="emitter">The graph, of opset 9 or newer.</param>
    /// <param name="partition">The constants, joined on axis 0.</param>
    /// <param name="ids">The value with the numbers of rows, of any rank.</param>
    /// <returns>Nodes whose result has the rank of the ids and one more.</returns>
    public static NodeChain Rows(GraphEmitter emitter, StoredPartition partition, string ids)
    {
        string zero = emitter.Number(0);
        string wide = Add("Cast", [ids], Attributes.Int("to", Attributes.Number(DType.I64)));
        string fromEnd = Add("Add", [wide, emitter.Number(partition.Shape[0])]);
        string local = Add("Where", [Add("Less", [wide, zero]), fromEnd, wide]);
        if (partition.Permutation is { } places)
        {
            local = Add("Cast", [Add("Gather", [places, local])], Attributes.Int("to", Attributes.Number(DType.I64)));
        }

        // A mask of the ids' shape with an axis behind it spreads over the rows' entries.
        string maskShape = Add("Concat", [Add("Shape", [ids]), emitter.Dimensions([1])], Attributes.Int("axis", 0));
        var chosen = new Stack<(string Mask, string Rows)>();
        foreach (var (weight, rows) in partition.Blocks[..^1])
        {
            string count = emitter.Number(rows);
            string below = Add("Less", [local, count]);
            string own = emitter.NewName($"{ids}.rows");
            WeightDecoding.Rows(emitter, weight, Add("Where", [below, local, zero])).End(own);
            chosen.Push((Add("Reshape", [below, maskShape]), own));
            local = Add("Where", [below, zero, Add("Sub", [local, count])]);
        }

        var chain = WeightDecoding.Rows(emitter, partition.Blocks[^1].Weight, local);
        foreach (var (mask, own) in chosen)
        {
            string others = emitter.NewName($"{ids}.rows");
            chain.End(others);
            chain = new NodeChain(emitter, mask, ids).Then("Where", [own, others]);
        }

        return chain;

        string Add(string opType, string[] inputs, params ReadOnlySpan<NodeAttribute> attributes)
            => emitter.Add(opType, inputs, emitter.NewName($"{ids}.{opType}"), attributes);
    }
}
