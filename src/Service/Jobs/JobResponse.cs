using System.Text.Json;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;
using Condense.Service.Hosting;

namespace Condense.Service.Jobs;

/// <summary>A job as clients see it.</summary>
internal sealed record JobResponse
{
    /// <summary>The id.</summary>
    /// <example>job_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Id { get; init; }

    /// <summary>`queued → running → succeeded | failed | canceled | expired`, through `canceling`. The last four never change.</summary>
    public required JobState State { get; init; }

    /// <summary>Where the run is; while running.</summary>
    public Stage? Stage { get; init; }

    /// <summary>Apart from the state: `metTarget`, or `notWorthwhile` (nothing would become smaller: the original was kept). Of a succeeded job.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>What was asked; left out of lists when it is longer than 16 kB.</summary>
    public JobRequest? Request { get; init; }

    /// <summary>The job that this one tries again.</summary>
    public string? RetryOf { get; init; }

    /// <summary>How far it is; absent before it starts.</summary>
    public JobProgress? Progress { get; init; }

    /// <summary>Every try, in order.</summary>
    public required IReadOnlyList<JobAttempt> Attempts { get; init; }

    /// <summary>When things happened.</summary>
    public required JobTimings Timings { get; init; }

    /// <summary>What was made; of a succeeded job.</summary>
    public JobResult? Result { get; init; }

    /// <summary>The assertions of the request beside what was measured; of a succeeded job.</summary>
    public IReadOnlyList<JobAssertion>? Assertions { get; init; }

    /// <summary>What the user should know.</summary>
    public required IReadOnlyList<ReportWarning> Warnings { get; init; }

    /// <summary>Why it failed; also of a job that waits for its next attempt.</summary>
    public JobError? Error { get; init; }

    /// <summary>What made the result.</summary>
    public EngineDescription? Engine { get; init; }

    /// <summary>The most memory of its own that the process of the run was seen to hold, in bytes; of a succeeded job.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>Where to go from here.</summary>
    public required JobLinks Links { get; init; }

    /// <summary>The document of a row with its attempts.</summary>
    public static JobResponse Of(Job job, IReadOnlyList<Attempt> attempts)
    {
        var success = Read<JobSuccess>(job.ResultJson);
        var progress = Read<JobProgress>(job.ProgressJson);
        var request = job.RequestJson.Length == 0 ? null : Read<JobRequest>(job.RequestJson);
        return new JobResponse
        {
            Id = job.Id,
            State = job.State,
            Stage = job.State is JobState.Running or JobState.Canceling ? progress?.Stage : null,
            Outcome = success?.Outcome,
            Request = request is null ? null : request with { Webhook = request.Webhook?.WithoutQuery() },
            RetryOf = job.RetryOf,
            Progress = progress,
            Attempts = [.. attempts.Select(JobAttempt.Of)],
            Timings = new JobTimings(job.CreatedAt, job.StartedAt, job.FinishedAt, success?.SecondsByStage),
            Result = success?.Result,
            Assertions = success is null ? null : request?.Assertions?.Judge(success.Result),
            Warnings = success?.Warnings ?? [],
            Error = Read<JobError>(job.ErrorJson),
            Engine = success?.Engine,
            PeakMemoryBytes = success?.PeakMemoryBytes,
            Links = JobLinks.Of(job.Id, job.State, success?.Result.Model),
        };
    }

    private static T? Read<T>(string? json)
        where T : class => json is null ? null : JsonSerializer.Deserialize<T>(json, ApiJson.Options);
}

/// <summary>One try of a job.</summary>
/// <param name="Number">Increases from try to try.</param>
/// <param name="Worker">The process.</param>
/// <param name="StartedAt">When it was claimed, UTC.</param>
/// <param name="EndedAt">When it ended, UTC.</param>
/// <param name="EndReason">`succeeded`, `canceled`, `drained` (the service stopped; does not count against the job), `workerDied`, or an error code.</param>
internal sealed record JobAttempt(int Number, string Worker, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? EndReason)
{
    /// <summary>The document of a row.</summary>
    public static JobAttempt Of(Attempt attempt) => new(attempt.Number, attempt.Worker, attempt.StartedAt, attempt.EndedAt, attempt.EndReason);
}

/// <summary>When things happened, UTC.</summary>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="StartedAt">When its first attempt began.</param>
/// <param name="FinishedAt">When it reached its terminal state.</param>
/// <param name="SecondsByStage">Seconds of each stage of the attempt that succeeded.</param>
internal sealed record JobTimings(
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, IReadOnlyDictionary<string, double>? SecondsByStage);

/// <summary>Addresses around a job.</summary>
/// <param name="Self">The job.</param>
/// <param name="Events">What happened to it.</param>
/// <param name="Cancel">Stops it (POST); of an unfinished job.</param>
/// <param name="Retry">Does the same again (POST); of a finished job.</param>
/// <param name="Report">The measured proof; of a succeeded job.</param>
/// <param name="Model">The compressed model; of a succeeded job.</param>
/// <param name="Content">Its bytes; of a succeeded job.</param>
internal sealed record JobLinks(string Self, string Events, string? Cancel, string? Retry, string? Report, string? Model, string? Content)
{
    /// <summary>The addresses around a job.</summary>
    public static JobLinks Of(string id, JobState state, string? modelId)
    {
        string self = $"/v1/jobs/{id}";
        bool ended = state.IsTerminal();
        string? model = modelId is null ? null : $"/v1/models/{modelId}";
        return new JobLinks(
            self,
            $"{self}/events",
            ended ? null : $"{self}/cancel",
            ended ? $"{self}/retry" : null,
            model is null ? null : $"{self}/report",
            model,
            model is null ? null : $"{model}/content");
    }
}
