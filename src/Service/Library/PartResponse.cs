namespace Condense.Service.Library;

/// <summary>One file of a model of several files, as clients see it.</summary>
internal sealed record PartResponse
{
    /// <summary>The name by which the model's other files know it.</summary>
    /// <example>model.onnx.data</example>
    public required string Name { get; init; }

    /// <summary>Its length.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its SHA-256, lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Whether it is the main file, which `/content` gives; known once the model is committed.</summary>
    public required bool Main { get; init; }

    /// <summary>The document of a row.</summary>
    public static PartResponse Of(ModelPart part) => new() { Name = part.Name, Bytes = part.Bytes, Sha256 = part.Sha256, Main = part.IsMain };
}
