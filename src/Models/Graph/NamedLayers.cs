using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>
/// Guesses what weights do from names and shapes, as PyTorch gives and stores them: out×in. GPT-2's <c>Conv1D</c> modules store in×out; they are known by
/// their names and by a bias that is as long as the second dimension.
/// </summary>
internal static class NamedLayers
{
    // A matrix this tall and this much taller than wide is a vocabulary's.
    private const long VocabularyRows = 5000;
    private const long VocabularyAspect = 8;

    internal static ImmutableArray<Layer> Find(ImmutableArray<Tensor> tensors)
    {
        var shapes = new Dictionary<string, TensorShape>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            shapes.TryAdd(tensor.Name, tensor.Shape);
        }

        // A square matrix does not tell which way round it lies; those beside it that are not square do.
        var orientations = tensors.Where(tensor => WeightNames.IsConv1D(tensor.Name)).Select(tensor => IsTransposed(tensor, shapes)).ToList();
        bool squaresAreTransposed = orientations.Contains(true) && !orientations.Contains(false);
        return [.. tensors.Where(LayerFinder.IsWeight).Select(tensor => ToLayer(
            tensor, RoleOf(tensor, shapes), WeightNames.IsConv1D(tensor.Name) && (IsTransposed(tensor, shapes) ?? (HasBias(tensor, shapes) && squaresAreTransposed))))];
    }

    private static Layer ToLayer(Tensor tensor, WeightRole role, bool transposed)
    {
        var view = WeightView.Of(role, tensor.Shape);
        return new Layer
        {
            Name = tensor.Name,
            Tensor = tensor,
            Role = role,
            Rows = transposed ? view.Columns : view.Rows,
            Columns = transposed ? view.Rows : view.Columns,
            Transposed = transposed,
        };
    }

    // Of a weight with one of the names that Conv1D modules have: whether it lies in×out, or null when its shape does not tell. A Conv1D has a bias always.
    private static bool? IsTransposed(Tensor tensor, Dictionary<string, TensorShape> shapes)
    {
        if (tensor.Shape.Rank != 2 || !HasBias(tensor, shapes))
        {
            return false;
        }

        long outputs = BiasOf(tensor, shapes)![0];
        return tensor.Shape[0] == tensor.Shape[1] ? null : outputs == tensor.Shape[1];
    }

    private static bool HasBias(Tensor tensor, Dictionary<string, TensorShape> shapes)
        => BiasOf(tensor, shapes) is { Rank: 1 } bias && (bias[0] == tensor.Shape.Dimensions[^1] || bias[0] == tensor.Shape[0]);

    private static TensorShape? BiasOf(Tensor tensor, Dictionary<string, TensorShape> shapes)
        => shapes.GetValueOrDefault(string.Concat(tensor.Name.AsSpan(0, tensor.Name.Length - WeightNames.Weight.Length), "bias"));

    private static WeightRole RoleOf(Tensor tensor, Dictionary<string, TensorShape> shapes)
    {
        string name = tensor.Name;
        var shape = tensor.Shape;
        if (shape.Rank > 2)
        {
            return WeightRole.Conv;
        }

        if (name.Contains("_ih", StringComparison.Ordinal) || name.Contains("_hh", StringComparison.Ordinal))
        {
            return RecurrentRole(name, shape, shapes);
        }

        if (name.EndsWith("bias", StringComparison.Ordinal))
        {
            return WeightRole.Other;
        }

        return WeightNames.IsTable(name) ? WeightRole.Embedding
            : WeightNames.IsOutput(name) ? WeightRole.Softmax
            : WeightNames.IsAttention(name) ? WeightRole.Attention
            : shape[0] >= VocabularyRows && shape[0] >= VocabularyAspect * shape[1] ? WeightRole.Embedding
            : WeightRole.Linear;
    }

    // The recurrent matrix says how many gates there are: it is gates·hidden × hidden.
    private static WeightRole RecurrentRole(string name, TensorShape shape, Dictionary<string, TensorShape> shapes)
    {
        bool isInput = name.Contains("_ih", StringComparison.Ordinal);
        var recurrent = isInput ? shapes.GetValueOrDefault(name.Replace("_ih", "_hh", StringComparison.Ordinal)) : shape;
        long gates = name.Contains("lstm", StringComparison.OrdinalIgnoreCase) ? 4
            : name.Contains("gru", StringComparison.OrdinalIgnoreCase) ? 3
            : recurrent is { Rank: 2 } && recurrent[1] > 0 && recurrent[0] % recurrent[1] == 0 ? recurrent[0] / recurrent[1]
            : shape[0] % 4 == 0 ? 4
            : 3;
        return (gates, isInput) switch
        {
            (4, true) => WeightRole.LstmInput,
            (4, false) => WeightRole.LstmRecurrent,
            (3, true) => WeightRole.GruInput,
            (3, false) => WeightRole.GruRecurrent,
            (1, true) => WeightRole.RnnInput,
            (1, false) => WeightRole.RnnRecurrent,
            _ => WeightRole.Linear,
        };
    }
}
