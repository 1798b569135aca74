using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>
/// Tells the other nodes at once what they would find out by looking, seconds later. PostgreSQL delivers a notice when the transaction that
/// it is part of commits, and not otherwise. On SQLite there are no others.
/// </summary>
internal static class Notices
{
    /// <summary>PostgreSQL's channel.</summary>
    public const string Channel = "condense";

    /// <summary>There is a new job or model to work on.</summary>
    public const string Work = "work";

    /// <summary>A job waits to be handed to somebody else.</summary>
    public const string Handover = "handover";

    /// <summary>There are webhooks to send.</summary>
    public const string Deliveries = "deliveries";

    private const string EventTopic = "event ";
    private const string CancelTopic = "cancel ";

    /// <summary>Something happened to a job.</summary>
    public static string Event(string jobId) => EventTopic + jobId;

    /// <summary>A running job shall stop.</summary>
    public static string Cancel(string jobId) => CancelTopic + jobId;

    /// <summary>The job of a notice about an event; null of any other notice.</summary>
    public static string? EventOf(string notice) => SubjectOf(notice, EventTopic);

    /// <summary>The job of a notice about a cancellation; null of any other notice.</summary>
    public static string? CancelOf(string notice) => SubjectOf(notice, CancelTopic);

    /// <summary>Adds notices to the context's transaction.</summary>
    public static async Task SendAsync(CondenseDbContext db, CancellationToken cancellationToken, params string[] notices)
    {
        if (db.Database.IsNpgsql())
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, notice) FROM unnest({notices}) AS notice", cancellationToken);
        }
    }

    private static string? SubjectOf(string notice, string topic) => notice.StartsWith(topic, StringComparison.Ordinal) ? notice[topic.Length..] : null;
}
