namespace Condense.Service.Jobs;

/// <summary>A row of the table <c>report</c>: apart from the job's row, so that lists don't read it.</summary>
internal sealed class StoredReport
{
    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>The report as JSON, as it is handed out.</summary>
    public required string Json { get; init; }
}
