using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Which structures can take a weight's place in a graph.</summary>
internal static class WeightSupport
{
    // Before opset 7 operators broadcast by attributes; bfloat16 came into Cast with 13.
    private const long FirstOpset = 7;
    private const long FirstOpsetWithBFloat16 = 13;

    // Rows of a partition are chosen by Where, and by Less of integers.
    private const long FirstOpsetWithWhere = 9;

    // Those of an LSTM. What has more is no operator that is rewritten, and its inputs need no comparing.
    private const int MaxInputs = 8;

    /// <summary>What a node does with a weight.</summary>
    /// <param name="end">The node, and what it gets of the weight.</param>
    /// <param name="layer">The layer.</param>
    public static ConsumerKind KindOf(WeightEnd end, Layer layer) => KindOf(end.Use.Node, end.Use.Input, end.Place, layer);

    /// <summary>What a node does with a weight. O(attributes of the node), and O(1) where the operator is none that is rewritten.</summary>
    /// <param name="node">The node.</param>
    /// <param name="input">The number of the input that the weight goes into.</param>
    /// <param name="place">What goes into it: the weight, or what became of it.</param>
    /// <param name="layer">The layer.</param>
    public static ConsumerKind KindOf(Node node, int input, WeightPlace place, Layer layer)
    {
        var shape = place.Shape;
        if (node.Domain is not ("" or "ai.onnx") || shape.Rank < 2 || node.Inputs.Count is < 2 or > MaxInputs)
        {
            return ConsumerKind.Other;
        }

        var (kind, rows) = (node.OpType, input) switch
        {
            ("Gather", 0) when shape.Rank == 2 && !place.Flipped && Attributes.Int(node, "axis", 0) is 0 or -2 => (ConsumerKind.Gather, shape[0]),
            ("MatMul", _) when shape.ElementCount == shape.Dimensions[^1] * shape.Dimensions[^2] => (ConsumerKind.MatMul, shape.Dimensions[^2]),
            ("Gemm", < 2) when shape.Rank == 2 && Attributes.Int(node, "transA", 0) is not null && Attributes.Int(node, "transB", 0) is not null =>
                (ConsumerKind.Gemm, shape[0]),
            ("Conv", 1) when shape.Rank > 2 && !place.Flipped && Attributes.Int(node, "group", 1) == 1 => (ConsumerKind.Conv, shape[0]),
            ("LSTM" or "GRU" or "RNN", 1) when shape.Rank == 3 && !place.Flipped => (ConsumerKind.RecurrentInput, shape[0] * shape[1]),
            _ => (ConsumerKind.Other, 0),
        };
        if (kind == ConsumerKind.Other)
        {
            return kind;
        }

        // A node that uses the weight twice, or whose attributes a function's caller sets, gets the weight itself.
        string name = node.Inputs[input];
        if (node.Outputs.TrueForAll(output => output.Length == 0) || node.Inputs.Count(other => string.Equals(other, name, StringComparison.Ordinal)) > 1)
        {
            return ConsumerKind.Other;
        }

        var (storedRows, storedColumns) = layer.Transposed ? (layer.Columns, layer.Rows) : (layer.Rows, layer.Columns);
        return place.Is(rows, storedRows, storedColumns) ? kind : ConsumerKind.Other;
    }

    /// <summary>See <see cref="ModelRewriter.Supports"/>.</summary>
    /// <param name="program">The graph.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="form">The structure's shape.</param>
    public static bool Supports(GraphProgram program, Layer layer, StructureForm form)
    {
        if (layer.Scope is not { } scope || layer.Tensor.DType is not (DType.F32 or DType.F16 or DType.BF16 or DType.F64))
        {
            return false;
        }

        if (form is DenseForm dense && StructureTensors.TypeOf(dense.Format) == layer.Tensor.DType)
        {
            return true;
        }

        long opset = OpsetOf(program, scope);
        if (opset < FirstOpset || (opset < FirstOpsetWithBFloat16 && (layer.Tensor.DType == DType.BF16 || UsesBFloat16(form))))
        {
            return false;
        }

        var kinds = layer.Ends.Select(end => KindOf(end, layer)).ToHashSet();
        if (!CanBeTakenApart(form, layer.Transposed, kinds.Contains(ConsumerKind.Gather)))
        {
            return false;
        }

        if (HasFactors(form) && (kinds.Contains(ConsumerKind.Other) || layer.IsOutput))
        {
            return false;
        }

        return form is not RowPartitionForm
            || (((opset >= FirstOpsetWithWhere && !layer.Transposed) || !kinds.Contains(ConsumerKind.Gather))
                && (!HasFactors(form) || layer.Ends.All(end => KindOf(end, layer) == ConsumerKind.Gather || PartitionProducts.Supports(end, layer.Transposed))));
    }

    /// <summary>
    /// Whether graphs can read the codes: those that take 2, 4 or 8 bits, so that no code lies in two bytes; and no byte holds codes of two rows where
    /// rows are looked up.
    /// </summary>
    private static bool CanBeTakenApart(StructureForm form, bool transposed, bool gathered) => form switch
    {
        ProductForm product => CanBeTakenApart(product.Left, transposed, gathered && !transposed) && CanBeTakenApart(product.Right, transposed, gathered && transposed),
        RowPartitionForm partition => partition.Blocks.All(block => CanBeTakenApart(block, transposed, gathered)),
        QuantizedForm { IsPacked: true } packed => packed.StoredBits is 2 or 4
            && (!gathered || (long)(transposed ? packed.Rows : packed.Columns) * packed.StoredBits % 8 == 0),
        _ => true,
    };

    /// <summary>Whether a structure is a product of factors or has one among its blocks of rows.</summary>
    /// <param name="form">The structure's shape.</param>
    public static bool HasFactors(StructureForm form) => form is ProductForm || (form is RowPartitionForm partition && partition.Blocks.Any(block => block is ProductForm));

    /// <summary>The name by which nodes know a layer's weight.</summary>
    /// <param name="layer">The layer.</param>
    public static string ValueName(Layer layer) => layer.Constant is { } constant ? constant.Outputs[0] : layer.Tensor.Name;

    /// <summary>The version of the standard operators that nodes of a graph are of; 0 when none is stated.</summary>
    /// <param name="program">The whole program.</param>
    /// <param name="graph">The main graph, a function's body, or a subgraph of these.</param>
    public static long OpsetOf(GraphProgram program, ModelGraph graph)
    {
        var root = graph;
        while (root.Parent is { } parent)
        {
            root = parent;
        }

        return Opset(program.Functions.Find(function => function.Body == root)?.Opsets ?? program.Opsets);
    }

    /// <summary>The version of the standard operators; 0 when none is stated.</summary>
    /// <param name="opsets">Versions by domain.</param>
    public static long Opset(SortedDictionary<string, long> opsets) => opsets.GetValueOrDefault("", opsets.GetValueOrDefault("ai.onnx"));

    private static bool UsesBFloat16(StructureForm form) => form switch
    {
        DenseForm dense => dense.Format == FloatFormat.BF16,
        ProductForm product => UsesBFloat16(product.Left) || UsesBFloat16(product.Right),
        RowPartitionForm partition => partition.Blocks.Any(UsesBFloat16),
        _ => false,
    };
}
