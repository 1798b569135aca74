namespace Condense.Service.Library;

/// <summary>A row of the table <c>model_part</c>: one file of a model of several files.</summary>
internal sealed class ModelPart
{
    /// <summary>The model.</summary>
    public required string ModelId { get; init; }

    /// <summary>The name by which the model's files know it; one segment, never a path.</summary>
    public required string Name { get; init; }

    /// <summary>The tenant, for the reference to the artifact.</summary>
    public required string TenantId { get; init; }

    /// <summary>The artifact.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its length.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether it is the main file; known once the model is committed.</summary>
    public bool IsMain { get; set; }
}
