using Condense.Models.Graph;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>
/// Products with a partition whose blocks may be factors, where the rows of W become entries of the result: each block is multiplied by itself, the
/// results are joined, and the entries are put in the order of the rows.
/// </summary>
/// <param name="emitter">The graph.</param>
/// <param name="add">Adds a node that may use another weight.</param>
/// <param name="partition">The constants.</param>
/// <param name="place">What the product got of the weight.</param>
internal sealed class PartitionProducts(GraphEmitter emitter, Action<Node> add, StoredPartition partition, WeightPlace place)
{
    /// <summary>
    /// Whether a product has W's rows as entries of its result: <c>x·Wᵀ</c> as <c>MatMul</c> or <c>Gemm</c>, <c>W·x</c> as <c>Gemm</c> alone, since the rank
    /// of <c>MatMul</c>'s other input is not known. A <c>Gemm</c> that scales its third input is not taken either.
    /// </summary>
    /// <param name="end">A use of the weight that takes factors.</param>
    /// <param name="storedTransposed">Whether the stored matrix is Wᵀ.</param>
    public static bool Supports(WeightEnd end, bool storedTransposed)
    {
        var (node, input) = (end.Use.Node, end.Use.Input);
        bool transposed = storedTransposed ^ end.Place.Flipped;
        if (end.Place.Shape.Rank != 2)
        {
            return false;
        }

        if (node.Is("MatMul"))
        {
            return input == 1 && transposed;
        }

        bool scaled = node.Inputs.Count > 2 && node.Inputs[2].Length > 0 && node.Attribute("beta") is { } beta && !(beta.Reference.Length == 0 && beta.Floats is [1]);
        bool turned = Attributes.Int(node, input == 0 ? "transA" : "transB", 0) != 0;
        return node.Is("Gemm") && !scaled && (input == 0 ? turned == transposed : turned != transposed);
    }

    /// <summary>Adds what takes a node's place.</summary>
    /// <param name="node">The product.</param>
    /// <param name="input">The number of the input that the weight goes into.</param>
    /// <param name="name">The layer's name, for values in between.</param>
    public void Replace(Node node, int input, string name)
    {
        string[] parts = [.. partition.Blocks.Select(block => node.Is("MatMul") ? Multiply(node.Inputs[0], block.Weight, name) : MultiplyGemm(node, input, block.Weight, name))];
        var axis = Attributes.Int("axis", node.Is("MatMul") ? -1 : input);
        var chain = new NodeChain(emitter, parts[0], name).Then("Concat", parts[1..], axis);
        if (partition.Permutation is { } places)
        {
            chain.Then("Gather", [places], axis);
        }

        if (node.Is("Gemm") && node.Inputs.Count > 2 && node.Inputs[2].Length > 0)
        {
            chain.Then("Add", [node.Inputs[2]]);
        }

        chain.End(node.Outputs[0], node);
    }

    private string Multiply(string x, StoredWeight block, string name)
    {
        if (block is not StoredProduct product)
        {
            return AddNode("MatMul", name, [x, Turned(block)], []);
        }

        string inner = AddNode("MatMul", name, [x, Turned(place.Flipped ? product.Right : product.Left)], []);
        return AddNode("MatMul", name, [inner, Turned(place.Flipped ? product.Left : product.Right)], []);
    }

    // (L·R)' is L·R or Rᵀ·Lᵀ: which factor is next to the other input depends on the transpose and on the side.
    private string MultiplyGemm(Node node, int input, StoredWeight block, string name)
    {
        bool first = input == 0;
        string turning = first ? "transA" : "transB";
        bool turned = (Attributes.Int(node, turning, 0) != 0) ^ place.Flipped;
        NodeAttribute[] own = turned ? [Attributes.Int(turning, 1)] : [];
        string other = node.Inputs[first ? 1 : 0];
        var both = own.Concat(node.Attributes.Where(attribute => string.Equals(attribute.Name, first ? "transB" : "transA", StringComparison.Ordinal)));
        var alpha = node.Attributes.Where(attribute => attribute.Name is "alpha");
        if (block is not StoredProduct product)
        {
            string whole = Whole(block);
            return AddNode("Gemm", name, first ? [whole, other] : [other, whole], both.Concat(alpha));
        }

        string near = Whole(first == turned ? product.Left : product.Right);
        string far = Whole(first == turned ? product.Right : product.Left);
        string inner = AddNode("Gemm", name, first ? [near, other] : [other, near], both);
        return AddNode("Gemm", name, first ? [far, inner] : [inner, far], own.Concat(alpha));
    }

    private string Whole(StoredWeight weight) => WeightDecoding.Whole(emitter, weight, place.Type);

    private string Turned(StoredWeight weight) => place.Flipped ? WeightDecoding.Turned(emitter, Whole(weight)) : Whole(weight);

    private string AddNode(string opType, string name, string[] inputs, IEnumerable<NodeAttribute> attributes)
    {
        var node = new Node { Name = emitter.NewName($"{name}.{opType}"), OpType = opType };
        node.Inputs.AddRange(inputs);
        if (opType is "Gemm" && emitter.Opset < 11)
        {
            node.Inputs.Add(emitter.Zero(place.Type));
        }

        node.Outputs.Add(node.Name);
        node.Attributes.AddRange(attributes);
        add(node);
        return node.Name;
    }
}
