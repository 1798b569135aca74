using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Writes a graph's nodes, those that use a structured weight by the structure.</summary>
/// <param name="source">The original graph.</param>
/// <param name="layers">The layers.</param>
/// <param name="emitter">The graph that is written.</param>
internal sealed class ConsumerRewriter(ModelGraph source, PlannedLayers layers, GraphEmitter emitter)
{
    /// <summary>Adds a node, or what takes its place.</summary>
    /// <param name="node">A node of the original, copied.</param>
    public void Add(Node node)
    {
        for (int input = 0; input < node.Inputs.Count; input++)
        {
            if (layers.Find(node.Inputs[input], source) is { } plan
                && WeightSupport.KindOf(node, input, plan.Layer.Tensor) is var kind
                && plan.Rewrites(kind))
            {
                Replace(node, input, kind, plan);
                return;
            }
        }

        emitter.Add(node);
    }

    private void Replace(Node node, int input, ConsumerKind kind, LayerPlan plan)
    {
        var type = plan.Layer.Tensor.DType;
        if (kind == ConsumerKind.Gather)
        {
            WeightDecoding.Rows(emitter, plan.Stored!, node.Inputs[1]).Cast(DType.F32, type).End(node.Outputs[0], node);
            return;
        }

        if (plan.Stored is StoredPartition partition)
        {
            new PartitionProducts(emitter, Add, partition, type).Replace(node, input, plan.Layer.Name);
            return;
        }

        var product = (StoredProduct)plan.Stored!;
        string left = WeightDecoding.Whole(emitter, product.Left, type);
        string right = WeightDecoding.Whole(emitter, product.Right, type);
        string inner = emitter.NewName($"{plan.Layer.Name}.inner");
        if (kind == ConsumerKind.MatMul)
        {
            // x·(L·R) = (x·L)·R, and (L·R)·x = L·(R·x).
            bool weightFirst = input == 0;
            Add(Multiply(weightFirst ? right : node.Inputs[0], weightFirst ? node.Inputs[1] : left, inner));
            var outer = CopyWithoutInputs(node);
            outer.Inputs.AddRange(weightFirst ? [left, inner] : [inner, right]);
            emitter.Add(outer);
        }
        else
        {
            ReplaceGemm(node, input, left, right, inner, type);
        }
    }

    // Gemm computes alpha·A'·B' + beta·C, A' and B' being A and B or their transposes. The factor next to the other input goes first, alone; the other one
    // then takes alpha, beta and C. (L·R)' is L·R or Rᵀ·Lᵀ: which factor is next to the other input depends on the transpose.
    private void ReplaceGemm(Node node, int input, string left, string right, string inner, DType type)
    {
        bool weightFirst = input == 0;
        bool transposed = Attributes.Int(node, weightFirst ? "transA" : "transB", 0) != 0;
        string near = weightFirst == transposed ? left : right;
        string far = weightFirst == transposed ? right : left;
        var first = new Node { Name = inner, OpType = "Gemm" };
        first.Inputs.AddRange(weightFirst ? [near, node.Inputs[1]] : [node.Inputs[0], near]);
        if (emitter.Opset < 11)
        {
            first.Inputs.Add(emitter.Zero(type));
        }

        first.Outputs.Add(inner);
        first.Attributes.AddRange(node.Attributes.Where(attribute => attribute.Name is "transA" or "transB"));
        Add(first);

        var second = CopyWithoutInputs(node);
        second.Inputs.AddRange([weightFirst ? far : inner, weightFirst ? inner : far, .. node.Inputs.Skip(2)]);
        string settled = weightFirst ? "transB" : "transA";
        second.Attributes.RemoveAll(attribute => string.Equals(attribute.Name, settled, StringComparison.Ordinal));
        emitter.Add(second);
    }

    private static Node Multiply(string left, string right, string output)
    {
        var node = new Node { Name = output, OpType = "MatMul" };
        node.Inputs.AddRange([left, right]);
        node.Outputs.Add(output);
        return node;
    }

    private static Node CopyWithoutInputs(Node node)
    {
        var copy = new Node { Name = node.Name, OpType = node.OpType, Domain = node.Domain, Overload = node.Overload, DocString = node.DocString, Unknown = node.Unknown };
        copy.Outputs.AddRange(node.Outputs);
        copy.Attributes.AddRange(node.Attributes);
        return copy;
    }
}
