using System.Text.Json;
using Condense.Pipeline.Reports;

namespace Condense.Service.Library;

/// <summary>The compressible layers of a model.</summary>
internal sealed record LayerList
{
    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>Its layers, in the order of the file.</summary>
    public required IReadOnlyList<LayerDescription> Layers { get; init; }

    /// <summary>The document of a row.</summary>
    public static LayerList Of(StoredInspection inspection) => new()
    {
        Model = inspection.ModelId,
        Layers = JsonSerializer.Deserialize<LayerDescription[]>(inspection.LayersJson, ReportJson.Options)!,
    };
}
