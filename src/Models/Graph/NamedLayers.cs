using System.Collections.Immutable;
using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>Guesses what weights do from names and shapes, as PyTorch gives and stores them: out×in.</summary>
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

        return [.. tensors.Where(LayerFinder.IsWeight).Select(tensor => ToLayer(tensor, RoleOf(tensor, shapes)))];
    }

    private static Layer ToLayer(Tensor tensor, WeightRole role)
    {
        var view = WeightView.Of(role, tensor.Shape);
        return new Layer { Name = tensor.Name, Tensor = tensor, Role = role, Rows = view.Rows, Columns = view.Columns, Transposed = false };
    }

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
