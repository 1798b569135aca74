namespace Condense.Service.Library;

/// <summary>A row of the table <c>inspection</c>: apart from the model's row, so that lists don't read it.</summary>
internal sealed class StoredInspection
{
    /// <summary>The model.</summary>
    public required string ModelId { get; init; }

    /// <summary>Its layers as a JSON array.</summary>
    public required string LayersJson { get; init; }
}
