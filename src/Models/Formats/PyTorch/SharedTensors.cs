using System.Globalization;
using System.Runtime.InteropServices;
using Condense.Models.Formats.PyTorch.Pickle;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.PyTorch;

/// <summary>Notices tensors that are one and the same view of a storage: tied weights.</summary>
internal sealed class SharedTensors
{
    private const int MostNamed = 8;

    // A file of a million tied tensors gets no million sentences.
    private const int MostTold = 1000;

    private readonly Dictionary<(PickledStorage Storage, long FirstByte, string View), List<string>> _names = [];
    private readonly List<List<string>> _order = [];

    /// <summary>Takes note of a tensor.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="view">The view that it is.</param>
    public void Add(Tensor tensor, PickledTensor view)
    {
        // Empty tensors share nothing.
        if (tensor.Data.ByteLength == 0)
        {
            return;
        }

        string description = string.Create(
            CultureInfo.InvariantCulture, $"{view.Type.Name}|{string.Join(',', view.Sizes)}|{string.Join(',', view.Strides)}");
        long firstByte = view.Storage.Start + (view.First * view.Type.Bytes);
        ref var names = ref CollectionsMarshal.GetValueRefOrAddDefault(_names, (view.Storage.Root, firstByte, description), out bool known);
        if (!known)
        {
            names = [];
            _order.Add(names);
        }

        names!.Add(tensor.Name);
    }

    /// <summary>One finding for each tensor of several names, in the order of the checkpoint; of a thousand, the rest is counted.</summary>
    public IEnumerable<ModelFinding> ToFindings()
    {
        var tied = _order.FindAll(names => names.Count > 1);
        foreach (var names in tied.Take(MostTold))
        {
            string shown = string.Join(", ", names.Take(MostNamed).Select(name => $"'{PickleRefusals.Shorten(name)}'"));
            string more = names.Count > MostNamed ? $" and {names.Count - MostNamed} more" : "";
            yield return new ModelFinding(
                "tied_weights", $"{shown}{more} are one tensor in the checkpoint. In a result they are stored as often as they are named.", names[0]);
        }

        if (tied.Count > MostTold)
        {
            yield return new ModelFinding("tied_weights", $"There are {tied.Count - MostTold} more findings of this kind.");
        }
    }
}
