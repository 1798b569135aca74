using Condense.Models.Formats.Onnx;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>What a program tells of its values: types, followed from node to node where the file does not state them, numbers of dimensions, constants.</summary>
internal sealed class KnownValues
{
    private static readonly KnownValue s_nothing = new(null, null, null);

    private readonly Dictionary<ModelGraph, Dictionary<string, KnownValue>> _graphs = new(ReferenceEqualityComparer.Instance);

    /// <summary>Follows all values. O(nodes).</summary>
    /// <param name="program">The program.</param>
    public KnownValues(GraphProgram program)
    {
        // Parents come first, so what a subgraph takes from around it is known.
        foreach (var graph in program.AllGraphs())
        {
            var values = new Dictionary<string, KnownValue>(StringComparer.Ordinal);
            _graphs.Add(graph, values);
            foreach (var stated in graph.Values.Concat(graph.Outputs).Concat(graph.Inputs))
            {
                values[stated.Name] = new(stated.DType, stated.Shape.IsDefault ? null : stated.Shape.Length, null);
            }

            foreach (var initializer in graph.Initializers)
            {
                // An initializer that is an input too may be another tensor when the model runs, though of the same type and rank.
                bool replaceable = program.HasDefaults && values.ContainsKey(initializer.Tensor.Name);
                values[initializer.Tensor.Name] = Of(initializer.Tensor) with { Constant = replaceable ? null : initializer.Tensor };
            }

            foreach (var node in graph.Nodes)
            {
                Follow(graph, values, node);
            }
        }
    }

    /// <summary>What is known of a value.</summary>
    /// <param name="graph">The graph that it is read in.</param>
    /// <param name="name">Its name.</param>
    public KnownValue Find(ModelGraph graph, string name)
    {
        for (var scope = graph; scope is not null; scope = scope.Parent)
        {
            if (_graphs[scope].TryGetValue(name, out var known))
            {
                return known;
            }
        }

        return s_nothing;
    }

    /// <summary>Adds a constant that is new.</summary>
    /// <param name="graph">The graph that holds it.</param>
    /// <param name="tensor">The constant.</param>
    public void Add(ModelGraph graph, Tensor tensor) => _graphs[graph].Add(tensor.Name, Of(tensor));

    private static KnownValue Of(Tensor tensor) => new(tensor.DType, tensor.Shape.Rank, tensor);

    private void Follow(ModelGraph graph, Dictionary<string, KnownValue> values, Node node)
    {
        var constant = node.Is("Constant") && node.Attribute("value") is { Tensors: [var value] } ? value.Tensor : null;
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            string name = node.Outputs[i];
            if (constant is not null)
            {
                values[name] = Of(constant);
            }
            else if (name.Length > 0)
            {
                var stated = values.GetValueOrDefault(name, s_nothing);
                values[name] = stated with { Type = stated.Type ?? TypeOfOutput(graph, node, i) };
            }
        }
    }

    // Most operators give what they take; those that do not are listed.
    private DType? TypeOfOutput(ModelGraph graph, Node node, int output) => node.Domain is not ("" or "ai.onnx") ? null : (node.OpType, output) switch
    {
        ("Shape" or "Size" or "ArgMax" or "ArgMin" or "NonZero" or "NonMaxSuppression", _) => DType.I64,
        ("TopK" or "MaxPool" or "Unique", > 0) => DType.I64,
        ("Equal" or "Greater" or "Less" or "GreaterOrEqual" or "LessOrEqual" or "Not" or "And" or "Or" or "Xor" or "IsNaN" or "IsInf", _) => DType.Bool,
        ("MatMulInteger" or "ConvInteger", _) => DType.I32,
        ("Cast", _) => Setting(node, "to", null),
        ("ConstantOfShape", _) => node.Attribute("value") is { Tensors: [var value] } ? value.Tensor.DType : DType.F32,
        ("RandomNormal" or "RandomUniform", _) => Setting(node, "dtype", DType.F32),
        ("Multinomial", _) => Setting(node, "dtype", DType.I32),
        ("EyeLike" or "RandomNormalLike" or "RandomUniformLike" or "Bernoulli", _) => Setting(node, "dtype", Input(graph, node, 0)),
        ("HannWindow" or "HammingWindow" or "BlackmanWindow" or "MelWeightMatrix", _) => Setting(node, "output_datatype", DType.F32),
        ("Where" or "CastLike" or "DequantizeLinear", _) => Input(graph, node, 1),
        ("OneHot", _) => Input(graph, node, 2),
        ("QuantizeLinear", _) => Input(graph, node, 2) ?? DType.U8,
        ("QLinearConv" or "QLinearMatMul", _) => Input(graph, node, 7),
        ("If" or "Scan", _) => Result(node, output),
        ("Loop", _) => Result(node, output + 1),
        ("DynamicQuantizeLinear" or "Constant" or "TfIdfVectorizer", _) => null,
        (_, 0) or ("Split" or "LSTM" or "GRU" or "RNN", _) => Input(graph, node, 0),
        _ => null,
    };

    private DType? Input(ModelGraph graph, Node node, int number) => number < node.Inputs.Count ? Find(graph, node.Inputs[number]).Type : null;

    private static DType? Setting(Node node, string name, DType? absent) =>
        node.Attribute(name) is { } attribute ? attribute.Ints is [var code] ? OnnxDType.FromCode(code) : null : absent;

    // What a subgraph gives its node; its first graph speaks for both branches.
    private static DType? Result(Node node, int number) =>
        node.Attributes.Find(attribute => attribute.Graphs.Length > 0) is { Graphs: [var body, ..] } && number < body.Outputs.Count ? body.Outputs[number].DType : null;
}
