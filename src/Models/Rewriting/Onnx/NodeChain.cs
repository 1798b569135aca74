using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Nodes one behind the other, each with the last one's output as its first input. They are added when the chain ends.</summary>
/// <param name="emitter">The graph.</param>
/// <param name="start">The value that goes in.</param>
/// <param name="name">What names of values in between begin with.</param>
internal sealed class NodeChain(GraphEmitter emitter, string start, string name)
{
    private readonly List<(string OpType, string[] Others, NodeAttribute[] Attributes)> _links = [];

    /// <summary>Appends an operator.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="others">Its inputs behind the first.</param>
    /// <param name="attributes">Its settings.</param>
    public NodeChain Then(string opType, string[] others, params NodeAttribute[] attributes)
    {
        _links.Add((opType, others, attributes));
        return this;
    }

    /// <summary>Appends a cast, unless the value is of that type already.</summary>
    /// <param name="from">The type that the value has.</param>
    /// <param name="to">The type that is wanted.</param>
    public NodeChain Cast(DType from, DType to) => from == to ? this : Then("Cast", [], Attributes.Int("to", Attributes.Number(to)));

    /// <summary>Adds the nodes. The last one gives the output its name and, where it takes the place of a node, is called like it.</summary>
    /// <param name="output">The output's name.</param>
    /// <param name="replaced">The node in whose place they stand, or null.</param>
    public void End(string output, Node? replaced = null)
    {
        string value = start;
        for (int i = 0; i < _links.Count; i++)
        {
            var (opType, others, attributes) = _links[i];
            bool last = i == _links.Count - 1;
            var node = new Node { OpType = opType };
            node.Inputs.Add(value);
            node.Inputs.AddRange(others);
            node.Attributes.AddRange(attributes);
            value = last ? output : emitter.NewName($"{name}.{opType}");
            node.Outputs.Add(value);
            node.Name = last && replaced is not null ? replaced.Name : value;
            if (last && replaced is not null)
            {
                node.DocString = replaced.DocString;
                node.Unknown = replaced.Unknown;
            }

            emitter.Add(node);
        }
    }
}
