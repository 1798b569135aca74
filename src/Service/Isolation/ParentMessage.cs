namespace Condense.Service.Isolation;

/// <summary>A line from the service to its child.</summary>
/// <param name="Word">What it is about.</param>
internal sealed record ParentMessage(ParentWord Word)
{
    /// <summary>With <see cref="ParentWord.Task"/>: what is to do.</summary>
    public ChildTask? Task { get; init; }

    /// <summary>With <see cref="ParentWord.Answer"/> to a fetch: whether the piece lies in its place now.</summary>
    public bool Found { get; init; }

    /// <summary>With <see cref="ParentWord.Answer"/> to a take: the layer; null when there is none left.</summary>
    public int? Layer { get; init; }
}

/// <summary>What a line from the service is about.</summary>
internal enum ParentWord
{
    /// <summary>Begin.</summary>
    Task,

    /// <summary>Stop.</summary>
    Cancel,

    /// <summary>Stop when the layer in work is finished.</summary>
    Drain,

    /// <summary>The answer to the child's last request.</summary>
    Answer,
}
