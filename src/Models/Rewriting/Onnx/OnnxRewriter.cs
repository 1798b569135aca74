using Condense.Models.Formats.Onnx;
using Condense.Models.Graph;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>
/// Copies a program, with structures in the place of weights. Tensors' bytes are shared with the original. Recursion follows the nesting of graphs,
/// which the reader has bounded.
/// </summary>
internal sealed class OnnxRewriter
{
    private readonly GraphProgram _program;
    private readonly PlannedLayers _layers;
    private readonly UniqueNames _names;
    private readonly List<LayerRecord> _records = [];

    private OnnxRewriter(GraphProgram program, IReadOnlyList<CompressedLayer> layers)
    {
        _program = program;
        _layers = new PlannedLayers(program, layers);
        _names = new UniqueNames(program.AllGraphs().SelectMany(NamesOf));
    }

    /// <summary>Makes the model whose layers are structures; see <see cref="ModelRewriter.Rewrite"/>.</summary>
    /// <param name="model">The original.</param>
    /// <param name="layers">The layers to replace, each checked.</param>
    public static Model Rewrite(Model model, IReadOnlyList<CompressedLayer> layers)
    {
        var rewriter = new OnnxRewriter(model.Program!, layers);
        var program = rewriter.Rewrite();

        // An earlier compression's record goes when one of its tensors is compressed again.
        var replaced = layers.SelectMany(layer => layer.Layer.Quantized.Select(tensor => tensor.Name).Append(WeightSupport.ValueName(layer.Layer))).ToHashSet(StringComparer.Ordinal);
        string text = StructureMetadata.Merge(model.Metadata, replaced, rewriter._records);
        program.Metadata.RemoveAll(pair => string.Equals(pair.Key, StructureMetadata.Key, StringComparison.Ordinal));
        program.Metadata.Add(new(StructureMetadata.Key, text));
        var metadata = new SortedDictionary<string, string>(model.Metadata.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal) { [StructureMetadata.Key] = text };
        return new Model(model.Format, OnnxReader.AllTensors(program), program, metadata, []);
    }

    private static IEnumerable<string> NamesOf(ModelGraph graph)
        => graph.Initializers.Select(initializer => initializer.Tensor.Name)
            .Concat(graph.Inputs.Select(input => input.Name))
            .Concat(graph.Nodes.SelectMany(node => node.Outputs.Append(node.Name)));

    private GraphProgram Rewrite()
    {
        var result = new GraphProgram
        {
            IrVersion = _program.IrVersion,
            ProducerName = _program.ProducerName,
            ProducerVersion = _program.ProducerVersion,
            Domain = _program.Domain,
            ModelVersion = _program.ModelVersion,
            DocString = _program.DocString,
            Unknown = _program.Unknown,
            Main = Rewrite(_program.Main, null, WeightSupport.Opset(_program.Opsets), MainConstants),
        };
        foreach (var (domain, version) in _program.Opsets)
        {
            result.Opsets.Add(domain, version);
        }

        result.Metadata.AddRange(_program.Metadata);
        result.Functions.AddRange(_program.Functions.Select(Rewrite));
        return result;
    }

    // Files of IR version 3 and older name every initializer as an input.
    private ConstantPlace MainConstants => _program.HasDefaults ? ConstantPlace.Initializer : ConstantPlace.InitializerAndInput;

    private GraphFunction Rewrite(GraphFunction function)
    {
        var result = new GraphFunction
        {
            Name = function.Name,
            Domain = function.Domain,
            Overload = function.Overload,
            DocString = function.DocString,
            Unknown = function.Unknown,
            Body = Rewrite(function.Body, null, WeightSupport.Opset(function.Opsets), ConstantPlace.Node),
        };
        result.Inputs.AddRange(function.Inputs);
        result.Outputs.AddRange(function.Outputs);
        result.Attributes.AddRange(function.Attributes);
        foreach (var (domain, version) in function.Opsets)
        {
            result.Opsets.Add(domain, version);
        }

        return result;
    }

    private ModelGraph Rewrite(ModelGraph source, ModelGraph? parent, long opset, ConstantPlace constants)
    {
        var target = new ModelGraph { Name = source.Name, DocString = source.DocString, Parent = parent, Unknown = source.Unknown };
        var emitter = new GraphEmitter(target, opset, _program.IrVersion, _names, constants);
        var consumers = new ConsumerRewriter(source, _layers, emitter);
        var dropped = source.Initializers.Select(initializer => initializer.Tensor.Name).Where(_layers.IsUnused).ToHashSet(StringComparer.Ordinal);
        if (_program.HasDefaults)
        {
            // What may be overridden is part of how the model is called, whether a node uses it or not.
            dropped.ExceptWith(source.Inputs.Select(input => input.Name));
        }

        target.Inputs.AddRange(source.Inputs.Where(input => _layers.Held(input.Name, source) is null && !dropped.Contains(input.Name)).Select(GraphCopies.Copy));
        target.Outputs.AddRange(source.Outputs.Select(GraphCopies.Copy));
        target.Values.AddRange(source.Values.Where(value => !_layers.IsGone(value.Name, source)).Select(GraphCopies.Copy));
        foreach (var initializer in source.Initializers)
        {
            if (_layers.Held(initializer.Tensor.Name, source) is { } plan)
            {
                _records.Add(new StoredWeightBuilder(emitter, plan).Build());
            }
            else if (!dropped.Contains(initializer.Tensor.Name))
            {
                target.Initializers.Add(initializer.Copy());
            }
        }

        // Only the main graph has inputs that initializers may be named among.
        var inner = constants == ConstantPlace.InitializerAndInput ? ConstantPlace.Node : constants;
        var decodings = Decodings(source);
        for (int i = 0; i < source.Nodes.Count; i++)
        {
            Decode(decodings[i], emitter);
            var node = source.Nodes[i];
            if (node.Outputs.Count > 0 && _layers.Held(node.Outputs[0], source) is { } plan)
            {
                _records.Add(new StoredWeightBuilder(emitter, plan).Build());
            }
            else if (!_layers.IsIdle(node) && !(node.Is("Constant") && node.Outputs.TrueForAll(_layers.IsUnused)))
            {
                consumers.Add(node.Copy(graph => Rewrite(graph, target, opset, inner)));
            }
        }

        Decode(decodings[source.Nodes.Count], emitter);
        return target;
    }

    private ILookup<int, LayerPlan> Decodings(ModelGraph source) => source.Initializers.Select(initializer => initializer.Tensor.Name)
        .Concat(source.Nodes.Where(node => node.Outputs.Count > 0).Select(node => node.Outputs[0]))
        .Select(name => _layers.Held(name, source))
        .OfType<LayerPlan>()
        .ToLookup(plan => plan.DecodeAt);

    private static void Decode(IEnumerable<LayerPlan> plans, GraphEmitter emitter)
    {
        foreach (var plan in plans)
        {
            WeightDecoding.Whole(emitter, plan.Stored!, plan.Layer.Tensor.DType, plan.Layer.Tensor.Shape, plan.ValueName);
        }
    }
}
