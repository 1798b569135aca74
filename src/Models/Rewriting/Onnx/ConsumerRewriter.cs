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
            if (layers.Find(node.Inputs[input], source) is { } value
                && WeightSupport.KindOf(node, input, value.Place, value.Plan.Layer) is var kind
                && value.Plan.Rewrites(kind))
            {
                Replace(node, input, kind, value);
                return;
            }
        }

        emitter.Add(node);
    }

    private void Replace(Node node, int input, ConsumerKind kind, PlannedValue value)
    {
        var type = value.Place.Type;
        if (kind == ConsumerKind.Gather)
        {
            WeightDecoding.Rows(emitter, value.Plan.Stored!, node.Inputs[1]).Cast(DType.F32, type).End(node.Outputs[0], node);
            return;
        }

        if (value.Plan.Stored is StoredPartition partition)
        {
            new PartitionProducts(emitter, Add, partition, value.Place).Replace(node, input, value.Plan.Layer.Name);
            return;
        }

        var factors = new FactorValues(emitter, (StoredProduct)value.Plan.Stored!, value.Plan, value.Place);
        string inner = emitter.NewName($"{value.Plan.Layer.Name}.inner");
        switch (kind)
        {
            case ConsumerKind.MatMul:
                ReplaceMatMul(node, weightFirst: input == 0, factors, inner);
                break;
            case ConsumerKind.Gemm:
                ReplaceGemm(node, input, factors, inner, type);
                break;
            case ConsumerKind.Conv:
                ReplaceConv(node, factors, inner);
                break;
            default:
                ReplaceRecurrent(node, factors, inner);
                break;
        }
    }

    // x·(L·R) = (x·L)·R, and (L·R)·x = L·(R·x). Axes of length 1 in front of the weight's matrix go with the factor that comes last.
    private void ReplaceMatMul(Node node, bool weightFirst, FactorValues factors, string inner)
    {
        string near = weightFirst ? factors.Second(leadingOnes: false) : factors.First(leadingOnes: false);
        string far = weightFirst ? factors.First(leadingOnes: true) : factors.Second(leadingOnes: true);
        Add(Multiply(weightFirst ? near : node.Inputs[0], weightFirst ? node.Inputs[1] : near, inner));
        var outer = CopyWithoutInputs(node);
        outer.Inputs.AddRange(weightFirst ? [far, inner] : [inner, far]);
        emitter.Add(outer);
    }

    // Gemm computes alpha·A'·B' + beta·C, A' and B' being A and B or their transposes. The factor next to the other input goes first, alone; the other one
    // then takes alpha, beta and C. With the stored weight S = L·R, S' is L·R or Rᵀ·Lᵀ: which factor is next to the other input depends on the transpose,
    // to which a Transpose in front of the node adds.
    private void ReplaceGemm(Node node, int input, FactorValues factors, string inner, DType type)
    {
        bool weightFirst = input == 0;
        string weightSwitch = weightFirst ? "transA" : "transB";
        string otherSwitch = weightFirst ? "transB" : "transA";
        bool transposed = (Attributes.Int(node, weightSwitch, 0) != 0) ^ factors.Flipped;
        string near = weightFirst == transposed ? factors.StoredLeft : factors.StoredRight;
        string far = weightFirst == transposed ? factors.StoredRight : factors.StoredLeft;
        var first = new Node { Name = inner, OpType = "Gemm" };
        first.Inputs.AddRange(weightFirst ? [near, node.Inputs[1]] : [node.Inputs[0], near]);
        if (emitter.Opset < 11)
        {
            first.Inputs.Add(emitter.Zero(type));
        }

        first.Outputs.Add(inner);
        first.Attributes.AddRange(node.Attributes.Where(attribute => string.Equals(attribute.Name, otherSwitch, StringComparison.Ordinal)));
        var second = CopyWithoutInputs(node);
        second.Inputs.AddRange([weightFirst ? far : inner, weightFirst ? inner : far, .. node.Inputs.Skip(2)]);
        second.Attributes.RemoveAll(attribute => attribute.Name is "transA" or "transB");
        if (transposed)
        {
            first.Attributes.Add(Attributes.Int(weightSwitch, 1));
            second.Attributes.Add(Attributes.Int(weightSwitch, 1));
        }

        Add(first);
        emitter.Add(second);
    }

    // Kernels W = L·R, folded to out×(in·kh·kw): R is r kernels over the same window, L mixes their r channels at each place. Strides, dilations and padding
    // are those of the window; the bias comes last.
    private void ReplaceConv(Node node, FactorValues factors, string inner)
    {
        var first = new Node { Name = inner, OpType = "Conv" };
        first.Inputs.AddRange([node.Inputs[0], factors.ConsumerRight(ConsumerKind.Conv)]);
        first.Outputs.Add(inner);
        first.Attributes.AddRange(node.Attributes);
        var second = CopyWithoutInputs(node);
        second.Attributes.Clear();
        second.Inputs.AddRange([inner, factors.ConsumerLeft(ConsumerKind.Conv), .. node.Inputs.Skip(2)]);
        Add(first);
        emitter.Add(second);
    }

    // Every direction multiplies the same input, so one projection x·Rᵀ serves them all; the gates' matrices are the rows of L in the order that they had.
    // Biases, peepholes, lengths and first states are not touched.
    private void ReplaceRecurrent(Node node, FactorValues factors, string inner)
    {
        Add(Multiply(node.Inputs[0], factors.Projection(), inner));
        var outer = CopyWithoutInputs(node);
        outer.Inputs.AddRange([inner, factors.ConsumerLeft(ConsumerKind.RecurrentInput), .. node.Inputs.Skip(2)]);
        emitter.Add(outer);
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
