using Condense.Service.Problems;

namespace Condense.Service.Webhooks;

/// <summary>A new endpoint.</summary>
internal sealed record WebhookRequest
{
    /// <summary>The most characters of a description.</summary>
    public const int MaxDescription = 500;

    /// <summary>Where to: `https`, a public host, no user, no fragment.</summary>
    /// <example>https://ci.example.com/hooks/condense</example>
    public required string Url { get; init; }

    /// <summary>What people call it, at most 500 characters.</summary>
    /// <example>Nightly pipeline</example>
    public string? Description { get; init; }

    /// <summary>The types of events of all jobs and models that it is told of. Default: all but `job.progress`.</summary>
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>Checks everything that can be judged at once.</summary>
    public List<FieldError> Check() => Check(Description, Events);

    /// <summary>Checks what a new endpoint and a change have in common.</summary>
    public static List<FieldError> Check(string? description, IReadOnlyList<string>? events)
    {
        var errors = new List<FieldError>();
        if (description?.Length > MaxDescription || description?.Any(char.IsControl) == true)
        {
            errors.Add(new FieldError("/description", $"At most {MaxDescription} characters belong here, and no control characters."));
        }

        if (events is not null)
        {
            WebhookEvent.Check(errors, "/events", events, WebhookEvent.All);
        }

        return errors;
    }
}

/// <summary>Changes of an endpoint; what is absent stays.</summary>
internal sealed record WebhookChanges
{
    /// <summary>Where to; also what is still waiting goes there.</summary>
    /// <example>https://ci.example.com/hooks/condense</example>
    public string? Url { get; init; }

    /// <summary>What people call it; empty for nothing.</summary>
    public string? Description { get; init; }

    /// <summary>The types of events.</summary>
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>Whether anything is sent. What becomes due or happens while it is disabled is not sent later; deliveries that were dropped can be replayed.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Checks everything that can be judged at once.</summary>
    public List<FieldError> Check() => WebhookRequest.Check(Description, Events);
}
