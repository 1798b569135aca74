using Condense.Service.Problems;

namespace Condense.Service.Webhooks;

/// <summary>Who is told about one job: an address, or an endpoint of `POST /v1/webhooks`.</summary>
internal sealed record WebhookChoice
{
    /// <summary>Where to; signed with the secret of `GET /v1/webhooks/default/secret`. The job's document shows it without its query, which often holds a token.</summary>
    /// <example>https://ci.example.com/hooks/condense</example>
    public string? Url { get; init; }

    /// <summary>An endpoint, instead of `url`. It is told about this job also if it does not ask for such events itself, and never twice.</summary>
    /// <example>whk_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public string? Endpoint { get; init; }

    /// <summary>The types of events: `job.queued`, `job.started`, `job.progress` (at most one in 5 s), `job.succeeded`, `job.failed`, `job.canceled`, `job.expired`. Default: the last four.</summary>
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>The same as whoever may read the job may see it: a query is `?…`.</summary>
    public WebhookChoice WithoutQuery() => Url?.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at ? this with { Url = $"{Url[..at]}?…" } : this;

    /// <summary>Whether it asks for a type of event.</summary>
    public bool Wants(string type) => (Events ?? WebhookEvent.Ends).Contains(type, StringComparer.Ordinal);

    /// <summary>Checks everything that can be judged from the document alone.</summary>
    /// <param name="errors">Takes what is wrong.</param>
    /// <param name="pointer">Where the choice stands.</param>
    public void Check(List<FieldError> errors, string pointer)
    {
        if ((Url is null) == (Endpoint is null))
        {
            errors.Add(new FieldError(pointer, "Exactly one of url and endpoint belongs here, for example {\"url\": \"https://ci.example.com/hooks\"}."));
        }

        if (Events is not null)
        {
            WebhookEvent.Check(errors, $"{pointer}/events", Events, WebhookEvent.OfJobs);
        }
    }
}
