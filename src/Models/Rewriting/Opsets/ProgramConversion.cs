using Condense.Models.Formats.Onnx;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>
/// Copies a program with its standard operators in a higher opset. Tensors' bytes are shared with the original. Recursion follows the nesting of graphs,
/// which the reader has bounded, and the versions of an operator.
/// </summary>
internal sealed class ProgramConversion
{
    private readonly GraphProgram _program;
    private readonly long _opset;
    private readonly UniqueNames _names;
    private readonly KnownValues _known;
    private readonly HashSet<string> _used;
    private readonly HashSet<string> _functions;

    /// <summary>Looks through the program once. O(nodes).</summary>
    /// <param name="program">The original.</param>
    /// <param name="opset">The opset to reach.</param>
    public ProgramConversion(GraphProgram program, long opset)
    {
        _program = program;
        _opset = opset;
        _names = new UniqueNames(program.AllGraphs().SelectMany(NamesOf));
        _known = new KnownValues(program);
        _used = program.AllGraphs()
            .SelectMany(graph => graph.Nodes.SelectMany(node => node.Inputs).Concat(graph.Outputs.Select(output => output.Name)))
            .Concat(program.Functions.SelectMany(function => function.Outputs))
            .ToHashSet(StringComparer.Ordinal);
        _functions = program.Functions.Where(function => function.Domain is "" or "ai.onnx").Select(function => function.Name).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Makes the copy.</summary>
    /// <exception cref="ModelFormatException">A node has no faithful form in the higher opset.</exception>
    public GraphProgram Convert()
    {
        if (_opset > _program.Opset && HoldsTraining())
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedOperator,
                $"The model holds training graphs, which are not converted from opset {_program.Opset} to {_opset}. Remove them (training_info), or keep the model's opset.");
        }

        var result = new GraphProgram
        {
            IrVersion = Math.Max(_program.IrVersion, OpsetConversion.IrVersionOf(_opset)),
            ProducerName = _program.ProducerName,
            ProducerVersion = _program.ProducerVersion,
            Domain = _program.Domain,
            ModelVersion = _program.ModelVersion,
            DocString = _program.DocString,
            Unknown = _program.Unknown,
            Main = Convert(_program.Main, null, _program.Opset),
        };
        Raise(_program.Opsets, result.Opsets);
        result.Metadata.AddRange(_program.Metadata);
        result.Functions.AddRange(_program.Functions.Select(Convert));
        if (!_program.HasDefaults && result.HasDefaults)
        {
            var constants = result.Main.Initializers.Select(initializer => initializer.Tensor.Name).ToHashSet(StringComparer.Ordinal);
            result.Main.Inputs.RemoveAll(input => constants.Contains(input.Name));
        }

        return result;
    }

    private static IEnumerable<string> NamesOf(ModelGraph graph)
        => graph.Initializers.Select(initializer => initializer.Tensor.Name)
            .Concat(graph.Inputs.Select(input => input.Name))
            .Concat(graph.Nodes.SelectMany(node => node.Inputs.Concat(node.Outputs).Append(node.Name)));

    private bool HoldsTraining()
    {
        var reader = new WireReader(new MemoryTensorData(_program.Unknown.ToArray()), new ReadBudget(ReadLimits.Default));
        while (reader.TryReadTag())
        {
            if (reader.Field == ModelField.TrainingInfo)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    private void Raise(SortedDictionary<string, long> from, SortedDictionary<string, long> to)
    {
        foreach (var (domain, version) in from)
        {
            to.Add(domain, domain.Length == 0 ? Math.Max(version, _opset) : version);
        }
    }

    private GraphFunction Convert(GraphFunction function)
    {
        // A function that imports no standard operators has none to convert.
        var result = new GraphFunction
        {
            Name = function.Name,
            Domain = function.Domain,
            Overload = function.Overload,
            DocString = function.DocString,
            Unknown = function.Unknown,
            Body = Convert(function.Body, null, function.Opsets.GetValueOrDefault("", _opset)),
        };
        result.Inputs.AddRange(function.Inputs);
        result.Outputs.AddRange(function.Outputs);
        result.Attributes.AddRange(function.Attributes);
        Raise(function.Opsets, result.Opsets);
        return result;
    }

    private ModelGraph Convert(ModelGraph source, ModelGraph? parent, long opset)
    {
        var target = new ModelGraph { Name = source.Name, DocString = source.DocString, Parent = parent, Unknown = source.Unknown };
        target.Inputs.AddRange(source.Inputs.Select(GraphCopies.Copy));
        target.Outputs.AddRange(source.Outputs.Select(GraphCopies.Copy));
        target.Initializers.AddRange(source.Initializers.Select(GraphCopies.Copy));
        var scope = new ConversionScope(source, target, _opset, _names, _known, _used);
        foreach (var node in source.Nodes)
        {
            Add(node.Copy(graph => Convert(graph, target, opset)), opset, scope);
        }

        target.Values.AddRange(source.Values.Where(value => !scope.Dropped.Contains(value.Name)).Select(GraphCopies.Copy));
        return target;
    }

    private void Add(Node node, long opset, ConversionScope scope)
    {
        if (node.Domain is not ("" or "ai.onnx") || _functions.Contains(node.OpType) || opset >= _opset)
        {
            scope.Target.Nodes.Add(node);
            return;
        }

        if (OperatorHistory.Find(node.OpType) is not { } history || history.Since > opset)
        {
            throw ConversionScope.Refuse(node, opset, _opset, $"opset {opset} has no operator of that name");
        }

        foreach (var (version, changes) in history.Later.Where(step => step.Version > opset && step.Version <= _opset))
        {
            if (changes)
            {
                var convert = OperatorConversions.Find(node.OpType, version)
                    ?? throw ConversionScope.Refuse(node, version - 1, version, "what it does changed there, and the newer one can't do the same");
                foreach (var replacement in scope.Convert(convert, node, version))
                {
                    Add(replacement, version, scope);
                }

                return;
            }
        }

        scope.Target.Nodes.Add(node);
    }
}
