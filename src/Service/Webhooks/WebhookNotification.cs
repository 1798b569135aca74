using System.Text.Json;
using System.Text.Json.Nodes;
using Condense.Models;
using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Condense.Service.Library;

namespace Condense.Service.Webhooks;

/// <summary>
/// The body of a webhook: what happened and where to look, under 2 kB; the same bytes at every attempt. Deliveries may overtake each other and may come
/// twice: `webhook-id` tells doubles, `sequence` the order.
/// </summary>
/// <typeparam name="T">What it is about.</typeparam>
internal sealed record WebhookNotification<T>
{
    /// <summary>The type of the event.</summary>
    /// <example>job.succeeded</example>
    public required string Type { get; init; }

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>What it is about.</summary>
    public required T Data { get; init; }
}

/// <summary>What a webhook says of a job.</summary>
internal sealed record JobNotice
{
    /// <summary>The job.</summary>
    /// <example>job_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>The place of the event among the job's events, from 1: as in `GET /v1/jobs/{id}/events`.</summary>
    public required int Sequence { get; init; }

    /// <summary>The job's state after the event.</summary>
    public required JobState State { get; init; }

    /// <summary>The model that it compresses.</summary>
    public required string Model { get; init; }

    /// <summary>Of `job.started`: which attempt.</summary>
    public int? Attempt { get; init; }

    /// <summary>Of `job.progress`: where the run is.</summary>
    public string? Stage { get; init; }

    /// <summary>Of `job.progress`: how far the whole run is, 0 to 1.</summary>
    public double? Fraction { get; init; }

    /// <summary>Of `job.succeeded`: `metTarget` or `notWorthwhile`.</summary>
    public string? Outcome { get; init; }

    /// <summary>Of `job.succeeded`: bytes before ÷ bytes after.</summary>
    public double? Ratio { get; init; }

    /// <summary>Of `job.failed`: the code of the error; the job has the details.</summary>
    public string? Error { get; init; }

    /// <summary>Where to go from here.</summary>
    public required JobLinks Links { get; init; }
}

/// <summary>What a webhook says of an uploaded model.</summary>
internal sealed record ModelNotice
{
    /// <summary>The model.</summary>
    /// <example>mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>`ready` or `rejected`.</summary>
    public required ModelState State { get; init; }

    /// <summary>Its format.</summary>
    public ModelFormat? Format { get; init; }

    /// <summary>Its bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Where to go from here.</summary>
    public required ModelLinks Links { get; init; }
}

/// <summary>What a webhook that tries an endpoint says.</summary>
/// <param name="Id">The endpoint.</param>
internal sealed record TestNotice(string Id);

/// <summary>Writes bodies.</summary>
internal static class WebhookNotification
{
    /// <summary>The body about an event of a job.</summary>
    public static string Of(Job job, JobEvent item)
    {
        var data = item.DataJson is null ? null : JsonNode.Parse(item.DataJson) as JsonObject;
        string? result = Text(data, "model");
        return Write(item.Type, item.At, new JobNotice
        {
            Id = job.Id,
            Sequence = item.Sequence,
            State = StateAfter(item.Type),
            Model = job.ModelId,
            Attempt = (int?)data?["attempt"],
            Stage = Text(data, "stage"),
            Fraction = (double?)data?["fraction"],
            Outcome = Text(data, "outcome"),
            Ratio = (double?)data?["ratio"],
            Error = Text(data, "code"),
            Links = JobLinks.Of(job.Id, StateAfter(item.Type), result),
        });
    }

    /// <summary>The body about an uploaded model.</summary>
    public static string Of(StoredModel model, ModelState state, DateTimeOffset at) => Write(
        state == ModelState.Ready ? WebhookEvent.ModelReady : WebhookEvent.ModelRejected,
        at,
        new ModelNotice { Id = model.Id, State = state, Format = model.Format, Bytes = model.Bytes, Links = ModelResponse.Of(model).Links });

    /// <summary>The body that tries an endpoint.</summary>
    public static string Test(string endpointId, DateTimeOffset at) => Write(WebhookEvent.Test, at, new TestNotice(endpointId));

    private static string Write<T>(string type, DateTimeOffset at, T data) =>
        JsonSerializer.Serialize(new WebhookNotification<T> { Type = type, Timestamp = at, Data = data }, ApiJson.Options);

    private static string? Text(JsonObject? data, string name) => (string?)data?[name];

    private static JobState StateAfter(string type) => type switch
    {
        EventType.Queued => JobState.Queued,
        EventType.Succeeded => JobState.Succeeded,
        EventType.Failed => JobState.Failed,
        EventType.Canceled => JobState.Canceled,
        EventType.Expired => JobState.Expired,
        _ => JobState.Running,
    };
}
