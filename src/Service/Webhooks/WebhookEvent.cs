using Condense.Service.Jobs;
using Condense.Service.Problems;

namespace Condense.Service.Webhooks;

/// <summary>The types of events that webhooks tell of.</summary>
internal static class WebhookEvent
{
    /// <summary>An uploaded model can be used.</summary>
    public const string ModelReady = "model.ready";

    /// <summary>An uploaded model can't be used.</summary>
    public const string ModelRejected = "model.rejected";

    /// <summary>Somebody tries an endpoint.</summary>
    public const string Test = "webhook.test";

    /// <summary>The ends of jobs: what a job's own webhook tells of unless asked otherwise.</summary>
    public static IReadOnlyList<string> Ends { get; } = [EventType.Succeeded, EventType.Failed, EventType.Canceled, EventType.Expired];

    /// <summary>All of jobs.</summary>
    public static IReadOnlyList<string> OfJobs { get; } = [EventType.Queued, EventType.Started, EventType.Progress, .. Ends];

    /// <summary>All of models.</summary>
    public static IReadOnlyList<string> OfModels { get; } = [ModelReady, ModelRejected];

    /// <summary>All that can be asked for.</summary>
    public static IReadOnlyList<string> All { get; } = [.. OfModels, .. OfJobs];

    /// <summary>What an endpoint is told of unless asked otherwise: progress only who asks for it.</summary>
    public static IReadOnlyList<string> Default { get; } = [.. All.Where(type => !string.Equals(type, EventType.Progress, StringComparison.Ordinal))];

    /// <summary>Checks a list of types.</summary>
    /// <param name="errors">Takes what is wrong.</param>
    /// <param name="pointer">Where the list stands.</param>
    /// <param name="events">The types that were asked for.</param>
    /// <param name="known">The types that may be.</param>
    public static void Check(List<FieldError> errors, string pointer, IReadOnlyList<string> events, IReadOnlyList<string> known)
    {
        if (events.Count == 0 || events.Count > All.Count)
        {
            errors.Add(new FieldError(pointer, $"1 to {known.Count} types of events belong here, of {string.Join(", ", known)}."));
            return;
        }

        for (int i = 0; i < events.Count; i++)
        {
            if (!known.Contains(events[i], StringComparer.Ordinal))
            {
                errors.Add(new FieldError($"{pointer}/{i}", $"One of {string.Join(", ", known)} belongs here."));
            }
        }
    }
}
