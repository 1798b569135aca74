using System.Text.Json.Nodes;

namespace Condense.Service.Jobs;

/// <summary>The events of a job after a given one.</summary>
internal sealed record EventList
{
    /// <summary>The events, oldest first.</summary>
    public required IReadOnlyList<EventResponse> Data { get; init; }
}

/// <summary>Something that happened to a job.</summary>
internal sealed record EventResponse
{
    /// <summary>The id.</summary>
    /// <example>evt_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>Its place among the job's events, from 1, without gaps.</summary>
    public required int Sequence { get; init; }

    /// <summary>What happened, for example `job.started`.</summary>
    /// <example>job.progress</example>
    public required string Type { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What goes with it.</summary>
    public JsonNode? Data { get; init; }

    /// <summary>The document of a row.</summary>
    public static EventResponse Of(JobEvent item) => new()
    {
        Id = item.Id,
        Sequence = item.Sequence,
        Type = item.Type,
        At = item.At,
        Data = item.DataJson is null ? null : JsonNode.Parse(item.DataJson),
    };
}
