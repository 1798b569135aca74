using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Nodes that turn stored constants into weights: whole, or some of their rows.</summary>
internal static class WeightDecoding
{
    /// <summary>The first opset whose <c>DequantizeLinear</c> takes a vector of scales.</summary>
    public const long FirstOpsetPerAxis = 13;

    /// <summary>The first opset whose <c>DequantizeLinear</c> takes scales of blocks, and codes of 4 bits.</summary>
    public const long FirstOpsetInBlocks = 21;

    private const long FirstOpsetPerTensor = 10;

    /// <summary>Adds nodes that decode a whole weight.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="weight">The constants of a structure that is no product.</param>
    /// <param name="type">The type that the weight is wanted in.</param>
    /// <param name="shape">The shape that it is wanted in; null for the stored one.</param>
    /// <param name="output">The name of the result.</param>
    public static void Whole(GraphEmitter emitter, StoredWeight weight, DType type, TensorShape? shape, string output)
    {
        if (weight is StoredDense dense)
        {
            Shape(emitter, new NodeChain(emitter, dense.Name, dense.Name).Cast(dense.Type, type), dense.Shape, shape).End(output);
            return;
        }

        if (weight is StoredPartition partition)
        {
            PartitionDecoding.Whole(emitter, partition, type, shape, output);
            return;
        }

        var quantized = (StoredQuantized)weight;
        var chain = quantized.Width.IsPacked
            ? PackedDecoding.Whole(emitter, quantized.Codes, quantized.Width, quantized.Shape)
            : new NodeChain(emitter, quantized.Codes, quantized.Codes);

        // ONNX Runtime 1.30 does not load a DequantizeLinear in a subgraph whose constants lie in a graph around it.
        if (quantized.Fusible && emitter.Holds(quantized.Codes) && emitter.Opset >= FirstOpset(quantized))
        {
            string[] scales = quantized.ZeroPoint is null ? [quantized.Scale] : [quantized.Scale, quantized.ZeroPoint];
            chain.Then("DequantizeLinear", [.. scales.Select(name => quantized.Spread ? Vector(emitter, name) : name)], Placement(quantized));
        }
        else
        {
            Widen(chain, quantized, name => ScalesOfAll(emitter, quantized, name), emitter);
        }

        Shape(emitter, chain.Cast(DType.F32, type), quantized.Shape, shape).End(output);
    }

    /// <summary>A whole weight that is no partition, decoded once for all that ask in the same graph.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="weight">The constants of a structure that is no product.</param>
    /// <param name="type">The type that the weight is wanted in.</param>
    /// <param name="shape">The shape that it is wanted in; null for the stored one.</param>
    /// <returns>The name of the decoded weight; the constant's own when there is nothing to decode.</returns>
    public static string Whole(GraphEmitter emitter, StoredWeight weight, DType type, TensorShape? shape = null)
    {
        var (constant, stored) = weight is StoredDense dense ? (dense.Name, dense.Shape) : (((StoredQuantized)weight).Codes, ((StoredQuantized)weight).Shape);
        var wanted = shape ?? stored;
        if (weight is StoredDense { Type: var own } && own == type && wanted.Equals(stored))
        {
            return constant;
        }

        return emitter.Shared($"whole {type} {wanted} {constant}", () =>
        {
            string output = emitter.NewName($"{constant}.decoded");
            Whole(emitter, weight, type, wanted, output);
            return output;
        });
    }

    /// <summary>The transpose of a matrix, made once for all that ask in the same graph.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="matrix">The value.</param>
    public static string Turned(GraphEmitter emitter, string matrix) => emitter.Shared(
        $"turned {matrix}", () => emitter.Add("Transpose", [matrix], emitter.NewName($"{matrix}.turned"), Attributes.Ints("perm", 1, 0)));

    private static NodeChain Shape(GraphEmitter emitter, NodeChain chain, TensorShape stored, TensorShape? wanted)
        => wanted is null || wanted.Equals(stored) ? chain : chain.Then("Reshape", [emitter.Dimensions(wanted.Dimensions)]);

    /// <summary>
    /// Rows of a weight that is a matrix, in f32: its constants are gathered before they are widened, so that the cost is that of the rows asked for.
    /// Numbers of rows may be negative where the opset lets them.
    /// </summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="weight">The constants.</param>
    /// <param name="ids">The value with the numbers of rows, of any rank.</param>
    /// <returns>Nodes whose result has the rank of the ids and one more.</returns>
    public static NodeChain Rows(GraphEmitter emitter, StoredWeight weight, string ids)
    {
        switch (weight)
        {
            case StoredProduct product:
                return Rows(emitter, product.Left, ids).Then("MatMul", [Whole(emitter, product.Right, DType.F32)]);
            case StoredPartition partition:
                return PartitionDecoding.Rows(emitter, partition, ids);
            case StoredDense dense:
                return new NodeChain(emitter, dense.Name, dense.Name).Then("Gather", [ids]).Cast(dense.Type, DType.F32);
            default:
                var quantized = (StoredQuantized)weight;
                var chain = new NodeChain(emitter, quantized.Codes, quantized.Codes).Then("Gather", [ids]);
                chain = quantized.Width.IsPacked ? PackedDecoding.Rows(emitter, chain, quantized, ids) : chain;
                Widen(chain, quantized, name => ScalesOfRows(emitter, quantized, name, ids), emitter);
                return chain;
        }
    }

    // Codes, less their zero points, times their scales, both brought into a shape that spreads over the codes.
    private static void Widen(NodeChain chain, StoredQuantized weight, Func<string, string> spread, GraphEmitter emitter)
    {
        var toFloat = Attributes.Int("to", Attributes.Number(DType.F32));
        chain.Then("Cast", [], toFloat);
        if (weight.ZeroPoint is { } zero)
        {
            // A type of 4 bits has no operators but Cast and DequantizeLinear.
            string zeros = spread(weight.Width switch
            {
                { IsPacked: true } => PackedDecoding.ZeroPoints(emitter, zero, weight.Width),
                { Bits: < 8 } => emitter.Shared($"zeros {zero}", () => emitter.Add("Cast", [zero], emitter.NewName($"{zero}.Cast"), Attributes.Int("to", Attributes.Number(DType.I8)))),
                _ => zero,
            });
            chain.Then("Sub", [emitter.Add("Cast", [zeros], emitter.NewName($"{zeros}.Cast"), toFloat)]);
        }

        chain.Then("Mul", [spread(weight.Scale)]);
    }

    private static string ScalesOfRows(GraphEmitter emitter, StoredQuantized weight, string scales, string ids)
    {
        switch (weight.Axis, weight.GroupSize)
        {
            case (0, 0):
                return GatherRows(scales, ids);
            case (1, > 0):
                string groups = emitter.GroupNumbers(weight.Shape[1], weight.GroupSize);
                return emitter.Add("Gather", [GatherRows(scales, ids), groups], emitter.NewName($"{scales}.spread"), Attributes.Int("axis", -1));
            case (0, > 0):
                // Looking the group up, instead of dividing the id, keeps negative ids right.
                return GatherRows(scales, GatherRows(emitter.GroupNumbers(weight.Shape[0], weight.GroupSize), ids));
            default:
                return scales;
        }

        string GatherRows(string table, string numbers) => emitter.Add("Gather", [table, numbers], emitter.NewName($"{table}.Gather"));
    }

    private static string ScalesOfAll(GraphEmitter emitter, StoredQuantized weight, string scales)
    {
        int behind = weight.Shape.Rank - 1 - weight.Axis;
        if (weight.GroupSize > 0)
        {
            string groups = emitter.GroupNumbers(weight.Shape[weight.Axis], weight.GroupSize);
            return emitter.Add("Gather", [scales, groups], emitter.NewName($"{scales}.spread"), Attributes.Int("axis", weight.Axis));
        }

        return weight.Axis < 0 || weight.Spread || behind == 0
            ? scales
            : emitter.Add("Reshape", [scales, emitter.Dimensions([-1, .. Enumerable.Repeat(1L, behind)])], emitter.NewName($"{scales}.Reshape"));
    }

    private static string Vector(GraphEmitter emitter, string name)
        => emitter.Add("Reshape", [name, emitter.Dimensions([-1])], emitter.NewName($"{name}.Reshape"));

    private static long FirstOpset(StoredQuantized weight) => (weight.Axis, weight.GroupSize) switch
    {
        ( < 0, _) => FirstOpsetPerTensor,
        (_, 0) => FirstOpsetPerAxis,
        _ => FirstOpsetInBlocks,
    };

    private static NodeAttribute[] Placement(StoredQuantized weight) => (weight.Axis, weight.GroupSize) switch
    {
        ( < 0, _) => [],
        (_, 0) => [Attributes.Int("axis", weight.Axis)],
        _ => [Attributes.Int("axis", weight.Axis), Attributes.Int("block_size", weight.GroupSize)],
    };
}
