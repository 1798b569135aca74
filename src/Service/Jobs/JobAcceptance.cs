using System.Text.Json;
using Condense.Pipeline.Recipes;
using Condense.Service.Access;
using Condense.Service.Datasets;
using Condense.Service.Hosting;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>Takes jobs: everything that can be judged at once is judged before anything is stored.</summary>
internal sealed class JobAcceptance(
    CondenseDbContext db, JobLedger ledger, ModelLibrary models, DatasetLibrary datasets, RecipeJudge judge, WebhookRegister webhooks, Caller caller, IdSource ids, TimeProvider clock)
{
    /// <summary>Takes a job.</summary>
    /// <exception cref="ProblemException">The request can't be met.</exception>
    /// <param name="request">What to do.</param>
    /// <param name="retryOf">The job that it tries again, if one.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <exception cref="RecipeException">The recipe does not fit the model.</exception>
    public async Task<Job> AcceptAsync(JobRequest request, string? retryOf, CancellationToken cancellationToken)
    {
        using var span = Tracing.Begin("accept");
        var errors = request.Check(clock.GetUtcNow(), out bool readable);
        if (!readable)
        {
            ProblemException.ThrowIfAny(errors);
        }

        long memory = await JudgeAsync(request, errors, cancellationToken);
        var job = new Job
        {
            Id = ids.Next(Job.IdPrefix),
            TenantId = caller.Tenant,
            ModelId = request.Model,
            DatasetId = request.Frequencies?.Dataset,
            RequestJson = JsonSerializer.Serialize(request, ApiJson.Options),
            Priority = request.Priority,
            PredictedMemoryBytes = memory,
            CreatedAt = clock.GetUtcNow(),
            ExpiresAt = request.ExpiresAt,
            RetryOf = retryOf,
            TraceParent = Tracing.Current,
        };
        span?.SetTag("condense.job", job.Id);
        return await ledger.AcceptAsync(
            job,
            async cancel =>
            {
                await RequireStillThereAsync(job, cancel);
                db.AddRange(request.Metadata.Select(entry => new JobMetadata { JobId = job.Id, Key = entry.Key, Value = entry.Value }));
            },
            cancellationToken);
    }

    /// <summary>Takes a job that does what a finished one was asked. What has passed since is left out: the moment at which that one would have expired, and a webhook endpoint that is gone.</summary>
    /// <exception cref="ProblemException">There is no such job, or it has not finished.</exception>
    /// <exception cref="RecipeException">The recipe does not fit the model any more.</exception>
    public async Task<Job> RetryAsync(string id, CancellationToken cancellationToken)
    {
        var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) ?? throw JobLedger.NoJob(id);
        if (!job.State.IsTerminal())
        {
            throw new ProblemException(
                ProblemKind.JobNotFinished, $"The job {id} is {job.State.ToString().ToLowerInvariant()}. Wait for its end, or cancel it, then retry it.");
        }

        var request = JsonSerializer.Deserialize<JobRequest>(job.RequestJson, ApiJson.Options)!;

        // Nobody can be told at an endpoint that has been deleted since; the work can be done again all the same.
        var webhook = await webhooks.IsGoneAsync(request.Webhook, cancellationToken) ? null : request.Webhook;
        return await AcceptAsync(request with { ExpiresAt = null, Webhook = webhook }, id, cancellationToken);
    }

    /// <summary>Judges the request against the model; what is wrong with the document and what does not fit the model come in one answer.</summary>
    /// <returns>Bytes of memory that the run is likely to need.</returns>
    private async Task<long> JudgeAsync(JobRequest request, List<FieldError> errors, CancellationToken cancellationToken)
    {
        long memory = 0;
        try
        {
            await webhooks.RequireAsync(request.Webhook, "/webhook", cancellationToken);
            var model = await models.GetAsync(request.Model, cancellationToken);
            ModelEndpoints.RequireReady(model);
            var counts = request.Frequencies is null ? null : (await datasets.ReadAsync(request.Frequencies.Dataset, cancellationToken)).Counts;
            memory = await judge.JudgeAsync(model, request.OutputFormatFor(model.Format!.Value), request.ToRecipe(counts), cancellationToken);
        }
        catch (Exception exception) when (errors.Count > 0 && exception is RecipeException or ProblemException)
        {
            var fault = Fault.Of(exception);
            errors.AddRange(fault.Errors.Where(error => !errors.Exists(known => string.Equals(known.Pointer, error.Pointer, StringComparison.Ordinal))));
        }

        ProblemException.ThrowIfAny(errors);
        return memory;
    }

    /// <summary>Inside the transaction: a deletion between the first look and this one is noticed.</summary>
    private async Task RequireStillThereAsync(Job job, CancellationToken cancellationToken)
    {
        if (!await db.Models.AnyAsync(model => model.Id == job.ModelId, cancellationToken))
        {
            throw ModelLibrary.NoModel(job.ModelId);
        }

        if (job.DatasetId is { } dataset && !await db.Datasets.AnyAsync(row => row.Id == dataset, cancellationToken))
        {
            throw DatasetLibrary.NoDataset(dataset);
        }
    }
}
