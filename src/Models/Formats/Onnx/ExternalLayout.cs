using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>Which tensors lie in a second file, and where in it.</summary>
internal sealed class ExternalLayout
{
    /// <summary>All tensors in the main file.</summary>
    internal static readonly ExternalLayout None = new("");

    // ONNX Runtime maps pages; smaller tensors are worth less than the entries that point to them.
    private const int Alignment = 4096;
    private const int MinBytes = 1024;

    private readonly Dictionary<Initializer, long> _offsets = new(ReferenceEqualityComparer.Instance);
    private readonly List<Initializer> _tensors = [];

    private ExternalLayout(string location) => Location = location;

    /// <summary>The second file's name.</summary>
    internal string Location { get; }

    /// <summary>The second file's length.</summary>
    internal long Length { get; private set; }

    /// <summary>Gives every tensor of 1 KiB or more a place, in the order of the graphs.</summary>
    /// <param name="program">The model's graphs.</param>
    /// <param name="location">The second file's name.</param>
    internal static ExternalLayout Of(GraphProgram program, string location)
    {
        var layout = new ExternalLayout(location);
        foreach (var graph in program.AllGraphs())
        {
            foreach (var tensor in graph.Nodes.SelectMany(node => node.Attributes).SelectMany(attribute => attribute.Tensors).Concat(graph.Initializers))
            {
                layout.Place(tensor);
            }
        }

        return layout;
    }

    /// <summary>Where a tensor begins in the second file; null when it lies in the main one.</summary>
    internal long? OffsetOf(Initializer tensor) => _offsets.TryGetValue(tensor, out long offset) ? offset : null;

    /// <summary>Writes the second file.</summary>
    internal async Task WriteAsync(Stream destination, CancellationToken cancellationToken)
    {
        byte[] padding = new byte[Alignment];
        long position = 0;
        foreach (var tensor in _tensors)
        {
            await destination.WriteAsync(padding.AsMemory(0, (int)(_offsets[tensor] - position)), cancellationToken);
            await tensor.Tensor.Data.CopyToAsync(destination, cancellationToken);
            position = _offsets[tensor] + tensor.Tensor.Data.ByteLength;
        }
    }

    private void Place(Initializer tensor)
    {
        long bytes = tensor.Tensor.Data.ByteLength;
        long offset = (Length + Alignment - 1) / Alignment * Alignment;
        if (bytes >= MinBytes && tensor.Tensor.DType != DType.String && _offsets.TryAdd(tensor, offset))
        {
            _tensors.Add(tensor);
            Length = offset + bytes;
        }
    }
}
