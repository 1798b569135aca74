using System.Text;
using System.Text.Json;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Reports.Html;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Jobs;

/// <summary>The addresses under <c>/v1/jobs</c>.</summary>
internal static class JobEndpoints
{
    private const string Json = "application/json";
    private const string Markdown = "text/markdown";
    private const string Html = "text/html";

    /// <summary>Seconds until a new job is worth a look.</summary>
    private const string Soon = "1";

    /// <summary>How a job is refused that its document describes well.</summary>
    private static readonly IReadOnlyList<ProblemKind> s_refusals =
        [ProblemKind.NotFound, ProblemKind.ModelNotReady, .. ProblemKind.OfRecipes, .. ProblemKind.OfModels, ProblemKind.WebhookUrlForbidden, ProblemKind.QuotaExceeded];

    /// <summary>Adds them.</summary>
    public static void MapJobs(this RouteGroupBuilder group)
    {
        var jobs = group.MapGroup("/jobs").WithTags("Jobs");
        jobs.MapPost("/", Create).WithName("CreateJob").Needs(Scope.JobsWrite).Reads(RequestField.Prefer, RequestField.TraceParent).Sends(ResponseField.RetryAfter)
            .Fails([.. s_refusals]);
        jobs.MapGet("/", List).WithName("ListJobs").Needs(Scope.JobsRead)
            .Queries(QueryField.Words("state", ListQuery.Words<JobState>()), QueryField.CreatedAfter, QueryField.Metadata);
        jobs.MapGet("/{id}", Get).WithName("GetJob").Needs(Scope.JobsRead).Reads(RequestField.Prefer).Sends(ResponseField.RetryAfter);
        jobs.MapGet("/{id}/events", GetEvents).WithName("GetJobEvents").Needs(Scope.JobsRead).WithTexts(EventStream.ContentType)
            .Reads(EventStream.LastEventIdField).Fails(ProblemKind.NotAcceptable, ProblemKind.InvalidField);
        jobs.MapPost("/{id}/cancel", Cancel).WithName("CancelJob").Needs(Scope.JobsWrite).Sends(ResponseField.RetryAfter).Fails(ProblemKind.JobAlreadyFinished);
        jobs.MapPost("/{id}/retry", Retry).WithName("RetryJob").Needs(Scope.JobsWrite).Reads(RequestField.Prefer, RequestField.TraceParent).Sends(ResponseField.RetryAfter)
            .Fails([.. s_refusals, ProblemKind.JobNotFinished]);
        jobs.MapGet("/{id}/report", GetReport).WithName("GetJobReport").Needs(Scope.JobsRead).Produces<CompressionReport>(StatusCodes.Status200OK, Json).WithTexts(Markdown, Html)
            .Fails(ProblemKind.NotAcceptable);
    }

    /// <summary>Starts a job.</summary>
    /// <remarks>
    /// Compresses a model to a target (`ratio`, `bytes`, `parameterRatio` or `bitsPerWeight`: exactly one), by fixed methods for named layers, or both. What can be
    /// judged at once is judged at once; an accepted job survives crashes and restarts. Its result is a new model.
    ///
    /// With `Prefer: wait=30` the answer comes when the job has ended, or after 30 seconds with the job as it is then; `GET /v1/limits` names the
    /// longest wait.
    /// </remarks>
    /// <param name="request">What to do.</param>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="acceptance">Takes jobs.</param>
    /// <param name="db">The tables.</param>
    /// <param name="wait">Waits for the end.</param>
    /// <response code="201">The job: `queued`, or with `Prefer: wait` as it is at the end of the wait.</response>
    public static async Task<Created<JobResponse>> Create(
        JobRequest request, HttpContext http, IdempotentRequest first, JobAcceptance acceptance, CondenseDbContext db, JobWait wait)
    {
        first.AnswerWith<Job>(Tell);
        var patience = wait.Take(http);
        return await AnswerAsync(await acceptance.AcceptAsync(request, retryOf: null, http.RequestAborted), http, db, wait, patience);
    }

    /// <summary>Starts a finished job again.</summary>
    /// <remarks>
    /// A new job with the same request, whatever the end of the first; layers that were finished are not computed again. Not taken over are
    /// `expiresAt`, and a `webhook` whose endpoint has been deleted since. Takes `Prefer: wait`, as a new job does.
    /// </remarks>
    /// <param name="id">The job.</param>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="acceptance">Takes jobs.</param>
    /// <param name="db">The tables.</param>
    /// <param name="wait">Waits for the end.</param>
    /// <response code="201">The new job; `retryOf` names the first.</response>
    public static async Task<Created<JobResponse>> Retry(
        string id, HttpContext http, IdempotentRequest first, JobAcceptance acceptance, CondenseDbContext db, JobWait wait)
    {
        first.AnswerWith<Job>(Tell);
        var patience = wait.Take(http);
        return await AnswerAsync(await acceptance.RetryAsync(id, http.RequestAborted), http, db, wait, patience);
    }

    /// <summary>Lists jobs, newest first.</summary>
    /// <remarks>`?metadata.git=4f2a` lists only jobs with that name and value in their `metadata`; several such parameters must all hold.</remarks>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <param name="state">Only jobs in this state.</param>
    /// <param name="model">Only jobs that compress this model.</param>
    /// <param name="createdAfter">Only jobs accepted later than this moment, for example `2026-11-22T12:00:00Z`.</param>
    /// <param name="limit">Items of the page, 1 to 100. Default 20.</param>
    /// <param name="cursor">The `nextCursor` of the page before.</param>
    /// <response code="200">A page; the header `Link` names the next one. `attempts` stand only in the single job.</response>
    public static async Task<Ok<Page<JobResponse>>> List(
        HttpContext http, CondenseDbContext db, string? state = null, string? model = null, string? createdAfter = null, int? limit = null, string? cursor = null)
    {
        ListQuery.Check(http.Request, nameof(state), nameof(model), nameof(createdAfter), ClientMetadata.QueryPrefix);
        var filter = new JobFilter(
            ListQuery.Word<JobState>(nameof(state), state),
            ListQuery.Id(nameof(model), model),
            ListQuery.Moment(nameof(createdAfter), createdAfter),
            ClientMetadata.OfQuery(http.Request));
        return TypedResults.Ok(await Page.ReadAsync(
            before => filter.Rows(db, before),
            limit,
            cursor,
            job => job.Id,
            job => JobResponse.Of(job, []),
            http));
    }

    /// <summary>Fetches a job.</summary>
    /// <remarks>With `Prefer: wait=30` the answer comes when the job has ended, or after 30 seconds with the job as it is then.</remarks>
    /// <param name="id">The job.</param>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <param name="wait">Waits for the end.</param>
    /// <response code="200">The job; `Retry-After` while it is unfinished.</response>
    public static async Task<Ok<JobResponse>> Get(string id, HttpContext http, CondenseDbContext db, JobWait wait)
    {
        if (wait.Take(http) is { } patience)
        {
            await wait.UntilEndAsync(id, patience, http.RequestAborted);
        }

        var (job, attempts) = await FindAsync(db, id, http.RequestAborted);
        if (!job.State.IsTerminal())
        {
            http.Response.Headers.RetryAfter = "2";
        }

        return TypedResults.Ok(JobResponse.Of(job, attempts));
    }

    /// <summary>Lists what happened to a job, or follows it.</summary>
    /// <remarks>
    /// By `Accept`: `application/json` (default) lists what has happened so far; `text/event-stream` sends that as Server-Sent Events (`id` is the
    /// `sequence`, `event` the `type`, `data` the event as in the list), then every new event as it comes, and ends after the job's last one. A client
    /// that was cut off sends `Last-Event-ID` and misses nothing; the header goes before `after`.
    /// </remarks>
    /// <param name="id">The job.</param>
    /// <param name="http">The request.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="log">The events.</param>
    /// <param name="stream">Sends them.</param>
    /// <param name="waits">How many may be open.</param>
    /// <param name="lifetime">The process.</param>
    /// <param name="after">Only events with a higher `sequence`. Default 0: all.</param>
    /// <response code="200">The events, oldest first, at most 1,000 in the list.</response>
    /// <response code="204">The job has ended, and the client has all its events: no need to come back.</response>
    public static async Task<Results<Ok<EventList>, PushStreamHttpResult, NoContent>> GetEvents(
        string id, HttpContext http, Caller caller, EventLog log, EventStream stream, OpenWaits waits, IHostApplicationLifetime lifetime, int after = 0)
    {
        http.Response.Headers.Vary = HeaderNames.Accept;
        http.Response.Headers.CacheControl = "no-store";
        if (after < 0)
        {
            throw ProblemException.Field("?after", "A sequence number, or 0 for all, belongs here.");
        }

        string type = Negotiation.Choose(http.Request, Json, EventStream.ContentType);
        if (string.Equals(type, Json, StringComparison.Ordinal) || HttpMethods.IsHead(http.Request.Method))
        {
            return TypedResults.Ok(new EventList { Data = (await log.ReadAsync(caller.Tenant, id, after, http.RequestAborted)).Events });
        }

        int? seen = EventStream.LastSeen(http.Request);
        var page = await log.ReadAsync(caller.Tenant, id, seen ?? after, http.RequestAborted);
        EventStream.CheckSeen(seen, page.Count);
        if (seen is null && after > page.Count)
        {
            throw ProblemException.Field(
                "?after", FormattableString.Invariant($"The job has {page.Count} events so far: a stream from {after} on would leave out those in between. Send the sequence of the last event that was received, or 0 for all."));
        }

        if (page.IsEnd && page.Events.Count == 0)
        {
            return TypedResults.NoContent();
        }

        waits.Enter(http, caller);
        string tenant = caller.Tenant;
        http.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.Stream(
            async body =>
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
                await stream.WriteAsync(body, tenant, id, seen ?? after, end.Token);
            },
            EventStream.ContentType);
    }

    /// <summary>Cancels a job.</summary>
    /// <remarks>A waiting job is canceled at once, a running one within five seconds. Asking again changes nothing.</remarks>
    /// <param name="id">The job.</param>
    /// <param name="http">The request.</param>
    /// <param name="ledger">The jobs.</param>
    /// <param name="db">The tables.</param>
    /// <response code="200">It is canceled.</response>
    /// <response code="202">It is being stopped.</response>
    public static async Task<Results<Ok<JobResponse>, Accepted<JobResponse>>> Cancel(string id, HttpContext http, JobLedger ledger, CondenseDbContext db)
    {
        var state = await ledger.RequestCancelAsync(id, http.RequestAborted);
        var (job, attempts) = await FindAsync(db, id, http.RequestAborted);
        var response = JobResponse.Of(job, attempts);
        if (state == JobState.Canceled)
        {
            return TypedResults.Ok(response);
        }

        http.Response.Headers.RetryAfter = "1";
        return TypedResults.Accepted($"/v1/jobs/{id}", response);
    }

    /// <summary>Fetches the measured proof of a job.</summary>
    /// <remarks>
    /// By `Accept`: `application/json` (default); `text/markdown` for people; `text/html`, one file with charts that needs nothing else: no script, no
    /// request.
    /// </remarks>
    /// <param name="id">The job.</param>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <response code="200">The report.</response>
    public static async Task<ContentHttpResult> GetReport(string id, HttpContext http, CondenseDbContext db)
    {
        http.Response.Headers.Vary = HeaderNames.Accept;
        string type = Negotiation.Choose(http.Request, Json, Markdown, Html);
        var (job, _) = await FindAsync(db, id, http.RequestAborted);
        var report = await db.Reports.AsNoTracking().SingleOrDefaultAsync(row => row.JobId == id, http.RequestAborted)
            ?? throw new ProblemException(
                ProblemKind.NotFound with { Retryable = !job.State.IsTerminal() }, $"The job {id} is {job.State.ToString().ToLowerInvariant()}: only a succeeded one has a report.");
        if (string.Equals(type, Json, StringComparison.Ordinal))
        {
            return TypedResults.Text(report.Json, Json);
        }

        var document = JsonSerializer.Deserialize<CompressionReport>(report.Json, ReportJson.Options)!;
        if (string.Equals(type, Markdown, StringComparison.Ordinal))
        {
            return TypedResults.Text(ReportMarkdown.Write(document), Markdown, Encoding.UTF8);
        }

        http.Response.Headers.ContentSecurityPolicy = ReportHtml.ContentSecurityPolicy;
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return TypedResults.Text(ReportHtml.Write(document), Html, Encoding.UTF8);
    }

    /// <summary>The answer that commits with an accepted job.</summary>
    private static KeptAnswer Tell(Job job) => KeptAnswer.Created($"/v1/jobs/{job.Id}", JobResponse.Of(job, []), Soon);

    /// <summary>Answers with an accepted job, at once or after its end.</summary>
    private static async Task<Created<JobResponse>> AnswerAsync(Job job, HttpContext http, CondenseDbContext db, JobWait wait, TimeSpan? patience)
    {
        List<Attempt> attempts = [];
        if (patience is { } atMost)
        {
            await wait.UntilEndAsync(job.Id, atMost, http.RequestAborted);
            (job, attempts) = await FindAsync(db, job.Id, http.RequestAborted);
        }

        if (!job.State.IsTerminal())
        {
            http.Response.Headers.RetryAfter = Soon;
        }

        return TypedResults.Created($"/v1/jobs/{job.Id}", JobResponse.Of(job, attempts));
    }

    private static async Task<(Job Job, List<Attempt> Attempts)> FindAsync(CondenseDbContext db, string id, CancellationToken cancellationToken)
    {
        var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) ?? throw JobLedger.NoJob(id);
        var attempts = await db.Attempts.AsNoTracking().Where(row => row.JobId == id).OrderBy(row => row.Number).ToListAsync(cancellationToken);
        return (job, attempts);
    }
}
