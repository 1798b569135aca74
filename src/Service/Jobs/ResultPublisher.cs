using System.Text.Json;
using Condense.Pipeline.Reports;
using Condense.Service.Hosting;
using Condense.Service.Isolation;
using Condense.Service.Library;
using Condense.Service.Storage;
using Condense.Service.Telemetry;

namespace Condense.Service.Jobs;

/// <summary>Makes a finished file a model of the library: all of it in one transaction, and only while the attempt owns the job.</summary>
internal sealed class ResultPublisher(CondenseDbContext db, JobLedger ledger, ArtifactStore store, Patience patience, ServiceMetrics metrics, IdSource ids, TimeProvider clock)
{
    /// <summary>Publishes a result.</summary>
    /// <param name="claim">The attempt's claim.</param>
    /// <param name="source">The model that was compressed.</param>
    /// <param name="made">What the run has made: its report, and what the model is.</param>
    /// <param name="path">The file that the run made; beside it, by the names that it refers to, those that it could not hold itself.</param>
    /// <param name="cancellationToken">Gives up; nothing is published.</param>
    /// <returns>False when the attempt had lost the job, or the job was canceled.</returns>
    /// <exception cref="InvalidDataException">The file is not the one that the report is about.</exception>
    public async Task<bool> PublishAsync(Job claim, StoredModel source, ChildResult made, string path, CancellationToken cancellationToken)
    {
        using var span = Tracing.Begin("publish");
        var (report, description) = (made.Report!, made.Description!);
        await using var file = await StageAsync(path, cancellationToken);
        if (!string.Equals(file.Sha256, report.DigestAfter, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The result of {claim.Id} has SHA-256 {file.Sha256}; its report says {report.DigestAfter}.");
        }

        var parts = ResultParts.Of(path);
        var model = new StoredModel
        {
            Id = ids.Next("mdl_"),
            TenantId = claim.TenantId,
            Name = source.Name,
            Format = report.Format,
            Sha256 = file.Sha256,
            Bytes = description.Bytes,
            State = ModelState.Ready,
            SourceJobId = claim.Id,
            MetadataJson = MetadataOf(claim),
            CreatedAt = clock.GetUtcNow(),
        };
        InspectionJob.Describe(model, description);
        var others = new List<(string Name, StagedFile File)>();
        try
        {
            foreach (var (name, other) in parts.Others)
            {
                others.Add((name, await StageAsync(other, cancellationToken)));
            }

            bool published = await patience.InsistAsync(() => SucceedAsync(claim, model, made, (Path.GetFileName(path), file), others, cancellationToken), cancellationToken);
            foreach (var (stage, seconds) in published ? report.SecondsByStage : new Dictionary<string, double>(StringComparer.Ordinal))
            {
                metrics.StageTook(stage, seconds);
            }

            return published;
        }
        finally
        {
            foreach (var (_, other) in others)
            {
                await other.DisposeAsync();
            }
        }
    }

    /// <summary>The work is done, and it is not to be done again because the database is away.</summary>
    private Task<StagedFile> StageAsync(string path, CancellationToken cancellationToken) =>
        patience.InsistAsync(() => store.StageFileAsync(path, cancellationToken), cancellationToken);

    private Task<bool> SucceedAsync(
        Job claim,
        StoredModel model,
        ChildResult made,
        (string Name, StagedFile File) main,
        List<(string Name, StagedFile File)> others,
        CancellationToken cancellationToken) =>
        ledger.SucceedAsync(
            claim,
            JobSuccess.Of(made.Report!, model.Id) with { PeakMemoryBytes = made.PeakMemoryBytes },
            async cancel =>
            {
                await store.AdoptAsync(main.File, cancel);
                db.Add(model);
                foreach (var (name, file) in others.Count == 0 ? [] : others.Prepend(main))
                {
                    await store.AdoptAsync(file, cancel);
                    db.Add(new ModelPart { ModelId = model.Id, Name = name, TenantId = model.TenantId, Sha256 = file.Sha256, Bytes = file.Bytes, IsMain = file == main.File });
                }

                db.Add(InspectionJob.LayersOf(model.Id, made.Description!));
                db.Add(new StoredReport { JobId = claim.Id, Json = JsonSerializer.Serialize(made.Report!, ReportJson.Options) });
            },
            cancellationToken);

    /// <summary>The result is found by the same names and values as its job.</summary>
    private static string? MetadataOf(Job claim)
    {
        var metadata = JsonSerializer.Deserialize<JobRequest>(claim.RequestJson, ApiJson.Options)!.Metadata;
        return metadata.Count == 0 ? null : JsonSerializer.Serialize(metadata);
    }
}
