using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Reports;

/// <summary>The weights of a model by name, whether they stand in the file as they are or as structures.</summary>
internal sealed class WeightTable
{
    private readonly Dictionary<string, Layer> _plain;
    private readonly Dictionary<string, StructuredLayer> _structured;

    /// <summary>Finds the weights. O(nodes + tensors).</summary>
    public WeightTable(Model model)
    {
        var structured = ModelRewriter.FindStructured(model);
        _structured = structured.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        StructureTensorNames = structured.SelectMany(layer => layer.TensorNames).ToHashSet(StringComparer.Ordinal);
        _plain = LayerFinder.Find(model)
            .Where(layer => !StructureTensorNames.Contains(layer.Tensor.Name))
            .ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        Names = [.. structured.Select(layer => layer.Name).Concat(_plain.Keys).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>All names, structured layers first.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Names of the tensors that belong to structures.</summary>
    public IReadOnlySet<string> StructureTensorNames { get; }

    /// <summary>The structure's shape, or null for a plain weight.</summary>
    public StructureForm? Form(string name) => _structured.GetValueOrDefault(name)?.Form;

    /// <summary>Rows and columns, or null when there is no such weight.</summary>
    public (int Rows, int Columns)? Shape(string name) =>
        _structured.TryGetValue(name, out var structured) ? (structured.Form.Rows, structured.Form.Columns)
        : _plain.TryGetValue(name, out var layer) ? (layer.Rows, layer.Columns)
        : null;

    /// <summary>Bytes of its tensors; 0 when there is no such weight.</summary>
    public long Bytes(string name) =>
        _structured.TryGetValue(name, out var structured) ? structured.Form.StorageBits / 8
        : _plain.TryGetValue(name, out var layer) ? layer.StoredBytes
        : 0;

    /// <summary>The tensor of a plain weight, or null.</summary>
    public Tensor? Tensor(string name) => _plain.GetValueOrDefault(name)?.Tensor;

    /// <summary>The entries, out×in.</summary>
    public Matrix ReadDense(string name) =>
        _structured.TryGetValue(name, out var structured) ? StructureTensors.Read(structured.Form, structured.Data).ToDense() : WeightReader.Read(_plain[name]);
}
