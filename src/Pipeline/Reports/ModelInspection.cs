using System.Numerics.Tensors;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;

namespace Condense.Pipeline.Reports;

/// <summary>Looks at a model.</summary>
public static class ModelInspection
{
    /// <summary>Describes a model; reads every weight once. O(bytes) time, memory of the largest tensor.</summary>
    /// <param name="input">The model's files.</param>
    /// <param name="cancellationToken">Stops between layers.</param>
    /// <exception cref="ModelFormatException">The model can't be read.</exception>
    /// <exception cref="RecipeException">A weight holds NaN or an infinity: <c>non_finite_weights</c>.</exception>
    public static async Task<ModelDescription> InspectAsync(ModelParts input, CancellationToken cancellationToken)
    {
        using var model = ModelReader.Open(input, ReadLimits.Default);
        var found = LayerFinder.Find(model);
        FiniteWeights.Check(model, found, cancellationToken);
        string digest = await TensorDigest.OfFileAsync(input.MainPath, cancellationToken);
        var layers = new List<LayerDescription>();
        foreach (var layer in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            layers.Add(Describe(model, layer));
        }

        return new ModelDescription
        {
            Format = model.Format,
            Sha256 = digest,
            Bytes = ModelBytes.Of(model, input),
            ParameterCount = model.Tensors.Where(tensor => tensor.DType.IsFloatingPoint()).Sum(tensor => tensor.Shape.ElementCount),
            Opsets = model.Program?.Opsets ?? new SortedDictionary<string, long>(StringComparer.Ordinal),
            Inputs = model.Program is { Main: var main } ? [.. FreeInputs(main).Select(Describe)] : [],
            Outputs = model.Program is { Main: var graph } ? [.. graph.Outputs.Select(Describe)] : [],
            Layers = layers,
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
            energy += TensorPrimitives.SumOfSquares<float>(values);
            zeros += values.Count(0f);
        }

        var intent = new LayerIntent(layer, [.. MethodCatalogue.All.Select(method => method.Name)], MayKeep: false, Settings: null, Engine.Methods.Importance.None, RulePointer: null);
        return new LayerDescription
        {
            Name = layer.Name,
            Role = layer.Role,
            Operator = layer.Operator,
            Shape = [.. layer.Tensor.Shape.Dimensions],
            Rows = layer.Rows,
            Columns = layer.Columns,
            DType = layer.Tensor.DType,
            Bytes = layer.Tensor.Data.ByteLength,
            Norm = Math.Sqrt(energy),
            Sparsity = weight.Values.LongLength == 0 ? 0 : (double)zeros / weight.Values.LongLength,
            Methods = [.. CandidateLadder.Build(model, intent, withTarget: false).Select(candidate => candidate.Method).Distinct(StringComparer.Ordinal)],
        };
    }
}
