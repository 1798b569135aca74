using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;

namespace Condense.Service.Isolation;

/// <summary>A line from a child to the service.</summary>
/// <param name="Word">What it is about.</param>
internal sealed record ChildMessage(ChildWord Word)
{
    /// <summary>With <see cref="ChildWord.Progress"/>: how far it is.</summary>
    public StageProgress? Progress { get; init; }

    /// <summary>With <see cref="ChildWord.Fetch"/> and <see cref="ChildWord.Offer"/>: the piece.</summary>
    public string? Key { get; init; }

    /// <summary>With <see cref="ChildWord.Fetch"/> and <see cref="ChildWord.Offer"/>: where it lies, or shall lie.</summary>
    public string? Path { get; init; }

    /// <summary>With <see cref="ChildWord.Share"/>, <see cref="ChildWord.Take"/> and <see cref="ChildWord.Finish"/>: the stage.</summary>
    public Stage Stage { get; init; }

    /// <summary>With <see cref="ChildWord.Share"/>: what is to do.</summary>
    public IReadOnlyList<SharedLayer>? Layers { get; init; }

    /// <summary>With <see cref="ChildWord.Finish"/>: the layer.</summary>
    public int Layer { get; init; }

    /// <summary>With <see cref="ChildWord.Done"/> after a compression: the proof.</summary>
    public CompressionReport? Report { get; init; }

    /// <summary>With <see cref="ChildWord.Done"/>: what the model is; after an assistance null.</summary>
    public ModelDescription? Description { get; init; }

    /// <summary>With <see cref="ChildWord.Failed"/>: why.</summary>
    public ChildFault? Fault { get; init; }
}

/// <summary>What a line from a child is about.</summary>
internal enum ChildWord
{
    /// <summary>How far it is. No answer.</summary>
    Progress,

    /// <summary>Asks for a piece.</summary>
    Fetch,

    /// <summary>Offers a piece.</summary>
    Offer,

    /// <summary>Shares layers.</summary>
    Share,

    /// <summary>Asks for a layer.</summary>
    Take,

    /// <summary>Has finished a layer.</summary>
    Finish,

    /// <summary>The task is done.</summary>
    Done,

    /// <summary>The task failed.</summary>
    Failed,

    /// <summary>The task was stopped as it was told.</summary>
    Stopped,
}
