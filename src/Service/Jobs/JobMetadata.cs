namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>job_metadata</c>: one of the client's own names and values, so that lists can be filtered by it.</summary>
internal sealed class JobMetadata
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The name.</summary>
    public required string Key { get; init; }

    /// <summary>The value.</summary>
    public required string Value { get; init; }
}
