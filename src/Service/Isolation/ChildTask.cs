using System.Text.Json.Serialization;
using Condense.Models;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;

namespace Condense.Service.Isolation;

/// <summary>What a child process shall do: paths and numbers, nothing of the database.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "task")]
[JsonDerivedType(typeof(CompressTask), "compress")]
[JsonDerivedType(typeof(AssistTask), "assist")]
[JsonDerivedType(typeof(InspectTask), "inspect")]
[JsonDerivedType(typeof(ExpandTask), "expand")]
internal abstract record ChildTask
{
    /// <summary>The model's files.</summary>
    public required ModelParts Input { get; init; }
}

/// <summary>Describe a model.</summary>
internal sealed record InspectTask : ChildTask;

/// <summary>Make a compressed model dense.</summary>
internal sealed record ExpandTask : ChildTask
{
    /// <summary>The files of the model that was compressed.</summary>
    public required ModelParts Original { get; init; }

    /// <summary>The file to make.</summary>
    public required string Output { get; init; }
}

/// <summary>Work that follows a recipe.</summary>
internal abstract record RecipeTask : ChildTask
{
    /// <summary>The format of the result.</summary>
    public required ModelFormat OutputFormat { get; init; }

    /// <summary>What is asked.</summary>
    public required CompressionRecipe Recipe { get; init; }

    /// <summary>Where finished layers lie.</summary>
    public required string WorkDirectory { get; init; }

    /// <summary>Threads for numerics.</summary>
    public required int Threads { get; init; }
}

/// <summary>Compress a model, and describe what came out.</summary>
internal sealed record CompressTask : RecipeTask
{
    /// <summary>The file to make.</summary>
    public required string Output { get; init; }

    /// <summary>The path of ONNX Runtime's library; null without one.</summary>
    public string? OnnxRuntimeLibrary { get; init; }
}

/// <summary>Work on the layers that a run shares.</summary>
internal sealed record AssistTask : RecipeTask
{
    /// <summary>The stage whose layers are shared.</summary>
    public required Stage Stage { get; init; }
}
