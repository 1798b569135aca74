using System.Numerics.Tensors;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Condense.Pipeline.Findings;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;

namespace Condense.Pipeline.Reports;

/// <summary>Looks at a model.</summary>
public static class ModelInspection
{
    /// <summary>
    /// Describes a model; reads every tensor once, and every weight once more. O(bytes) time, memory of the largest tensor. A model with a weight that is not
    /// finite is described too, and said to be rejected.
    /// </summary>
    /// <param name="input">The model's files.</param>
    /// <param name="cancellationToken">Stops between layers.</param>
    /// <exception cref="ModelFormatException">The model can't be read.</exception>
    public static async Task<ModelDescription> InspectAsync(ModelParts input, CancellationToken cancellationToken)
    {
        using var model = ModelReader.Open(input, ReadLimits.Default);
        var found = LayerFinder.Find(model);
        long bytes = ModelBytes.Of(model, input);
        var findings = new ModelFindings(model, found, bytes, cancellationToken);
        string digest = await TensorDigest.OfFileAsync(input.MainPath, cancellationToken);
        var layers = new List<LayerDescription>();
        foreach (var layer in found.Where(layer => layer.Role == WeightRole.Other || !findings.NonFinite.Contains(layer.Tensor)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            layers.Add(Describe(model, layer));
        }

        return new ModelDescription
        {
            Format = model.Format,
            Sha256 = digest,
            Bytes = bytes,
            ParameterCount = model.Tensors.Where(tensor => tensor.DType.IsFloatingPoint()).Sum(tensor => tensor.Shape.ElementCount),
            Opsets = model.Program?.Opsets ?? new SortedDictionary<string, long>(StringComparer.Ordinal),
            Inputs = model.Program is { Main: var main } ? [.. FreeInputs(main).Select(Describe)] : [],
            Outputs = model.Program is { Main: var graph } ? [.. graph.Outputs.Select(Describe)] : [],
            Layers = layers,
            Rejected = findings.IsRejected,
            Findings = findings.With(model, layers.Exists(layer => layer.Methods.Count > 0 && layer.Role != WeightRole.Other)),
        };
    }

    /// <summary>Inputs that a caller feeds: old files list initializers among the inputs too.</summary>
    private static IEnumerable<ValueInfo> FreeInputs(ModelGraph graph)
    {
        var constants = graph.Initializers.Select(initializer => initializer.Tensor.Name).ToHashSet(StringComparer.Ordinal);
        return graph.Inputs.Where(input => !constants.Contains(input.Name));
    }

    private static ValueDescription Describe(ValueInfo value) => new(
        value.Name,
        value.DType,
        value.Shape.IsDefault ? null : [.. value.Shape.Select(dimension => dimension.Value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? (dimension.Name.Length > 0 ? dimension.Name : "?"))]);

    private static LayerDescription Describe(Model model, Layer layer)
    {
        var weight = WeightReader.Read(layer);
        double energy = 0;
        long zeros = 0;
        for (int row = 0; row < weight.Rows; row++)
        {
            var values = weight.Row(row);
            energy += Energy(values);
            zeros += values.Count(0f);
        }

        // What a rule may ask for: group-reduce goes without frequencies then, though only tables have rows to group.
        var methods = MethodCatalogue.All.Where(method => method.Roles.Contains(layer.Role) || !string.Equals(method.Name, MethodNames.GroupReduce, StringComparison.Ordinal));
        var intent = new LayerIntent(
            layer, [.. methods.Select(method => method.Name)], MayKeep: false, new GroupReduceChoice(), Engine.Methods.Importance.None, RulePointer: null);
        return new LayerDescription
        {
            Name = layer.Name,
            Role = layer.Role,
            Operator = layer.Operator,
            Shape = [.. layer.Tensor.Shape.Dimensions],
            Rows = layer.Rows,
            Columns = layer.Columns,
            DType = layer.StoredType,
            Bytes = layer.StoredBytes,
            Norm = Math.Sqrt(energy),
            Sparsity = weight.Values.LongLength == 0 ? 0 : (double)zeros / weight.Values.LongLength,
            Methods = [.. CandidateLadder.Build(model, intent, withTarget: false).Select(candidate => candidate.Method).Distinct(StringComparer.Ordinal)],
        };
    }

    /// <summary>The sum of squares of the finite entries: masks hold infinities, and squares of f32 may pass its range.</summary>
    private static double Energy(ReadOnlySpan<float> values)
    {
        float fast = TensorPrimitives.SumOfSquares(values);
        if (float.IsFinite(fast))
        {
            return fast;
        }

        double energy = 0;
        foreach (float value in values)
        {
            energy += float.IsFinite(value) ? (double)value * value : 0;
        }

        return energy;
    }
}
