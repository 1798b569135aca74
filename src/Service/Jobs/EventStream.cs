using System.Globalization;
using System.Text;
using System.Text.Json;
using Condense.Service.Hosting;
using Condense.Service.Problems;

namespace Condense.Service.Jobs;

/// <summary>
/// A job's events as Server-Sent Events: <c>id</c> is the sequence, <c>event</c> the type, <c>data</c> the document of the list. Written here and
/// not by the framework's formatter, which has no comments: without a heartbeat, neither side sees that the other is gone.
/// </summary>
internal sealed class EventStream(EventLog events, JobSignals signals, TimeProvider clock)
{
    /// <summary>The media type.</summary>
    public const string ContentType = "text/event-stream";

    private const string LastEventId = "Last-Event-ID";

    /// <summary>Where a stream goes on.</summary>
    public static RequestField LastEventIdField { get; } = new(LastEventId, "With `text/event-stream`: the `id` of the last event that was received.", RequestField.Text("17"))
    {
        Refusals = [ProblemKind.MalformedHeader],
    };

    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>A timer may ring so much too early.</summary>
    private static readonly TimeSpan s_early = TimeSpan.FromMilliseconds(50);

    private static readonly byte[] s_comment = ":\n\n"u8.ToArray();

    /// <summary>The sequence of the last event that the client has, by its header; null without one.</summary>
    /// <exception cref="ProblemException">The header is no number that this stream has given out: <c>malformed_header</c>.</exception>
    public static int? LastSeen(HttpRequest request)
    {
        string text = request.Headers[LastEventId].ToString();
        if (text.Length == 0)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int sequence)
            ? sequence
            : throw Refuse("it is not the sequence of an event");
    }

    /// <summary>Refuses a sequence that no client can have: a stream from there would leave out what comes before.</summary>
    /// <exception cref="ProblemException">The job has fewer events: <c>malformed_header</c>.</exception>
    public static void CheckSeen(int? sequence, int count)
    {
        if (sequence > count)
        {
            throw Refuse(FormattableString.Invariant($"the job has {count} events so far"));
        }
    }

    /// <summary>Writes stored events, then each new one as it comes, until the job has ended. O(events).</summary>
    /// <param name="body">Where to.</param>
    /// <param name="tenant">Whose.</param>
    /// <param name="id">The job.</param>
    /// <param name="after">Only events with a higher sequence.</param>
    /// <param name="cancellationToken">The client left, or the service stops: the stream ends, and a client that comes back goes on where it was.</param>
    public async Task WriteAsync(Stream body, string tenant, string id, int after, CancellationToken cancellationToken)
    {
        try
        {
            // The headers, also when nothing has happened yet.
            await body.FlushAsync(cancellationToken);
            using var listener = signals.Listen(id);
            long written = clock.GetTimestamp();
            while (true)
            {
                listener.Reset();
                var page = await events.ReadAsync(tenant, id, after, cancellationToken);
                bool silent = page.Events.Count == 0 && clock.GetElapsedTime(written) >= s_heartbeat - s_early;
                if (page.Events.Count > 0 || silent)
                {
                    await body.WriteAsync(silent ? s_comment : Frames(page.Events), cancellationToken);
                    await body.FlushAsync(cancellationToken);
                    written = clock.GetTimestamp();
                    after = silent ? after : page.Events[^1].Sequence;
                }

                if (page.IsEnd)
                {
                    return;
                }

                if (page.Events.Count < EventLog.Limit)
                {
                    // Awake in time for the next sign of life.
                    var beat = s_heartbeat - clock.GetElapsedTime(written);
                    await listener.WaitAsync(signals.Poll < beat ? signals.Poll : beat, clock, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end of a stream is an ordinary one, whoever brings it about.
        }
    }

    /// <summary>No line can end early: the serializer escapes line ends, and types are words of ours.</summary>
    private static byte[] Frames(IReadOnlyList<EventResponse> page)
    {
        var text = new StringBuilder();
        foreach (var item in page)
        {
            text.Append(CultureInfo.InvariantCulture, $"id: {item.Sequence}\nevent: {item.Type}\ndata: {JsonSerializer.Serialize(item, ApiJson.Options)}\n\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static ProblemException Refuse(string reason) =>
        new(ProblemKind.MalformedHeader, $"{LastEventId} can't be used: {reason}. Send the `id` of the last event that was received, or leave the header out.");
}
