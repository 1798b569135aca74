using System.Text.Json;
using Condense.Models;
using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Library;

/// <summary>Adds models and takes them away.</summary>
internal sealed class ModelLibrary(CondenseDbContext db, WriteTransaction transaction, ArtifactStore store, WorkTriggers triggers, Caller caller, IdSource ids, TimeProvider clock)
{
    /// <summary>
    /// Adds an uploaded file as a model. Its structure is judged at once; the weights are read by a worker afterwards, which the same transaction
    /// schedules.
    /// </summary>
    /// <exception cref="ModelFormatException">The file is no model; nothing is stored.</exception>
    public async Task<StoredModel> AddAsync(StagedFile file, string? name, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        var format = await Task.Run(() => FormatOf(file.Path), cancellationToken);
        return await transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                await store.AdoptAsync(file, cancel);
                var model = new StoredModel
                {
                    Id = ids.Next("mdl_"),
                    TenantId = caller.Tenant,
                    Name = name,
                    Format = format,
                    Sha256 = file.Sha256,
                    Bytes = file.Bytes,
                    State = ModelState.Validating,
                    MetadataJson = metadata.Count == 0 ? null : JsonSerializer.Serialize(metadata),
                    CreatedAt = clock.GetUtcNow(),
                };
                db.Add(model);
                await triggers.InspectAsync(scheduler, model.Id, cancel);
                return model;
            },
            cancellationToken);
    }

    /// <summary>The model of that id.</summary>
    /// <exception cref="ProblemException">There is none: <c>not_found</c>.</exception>
    public async Task<StoredModel> GetAsync(string id, CancellationToken cancellationToken) =>
        (IdSource.IsId(id) ? await db.Models.AsNoTracking().SingleOrDefaultAsync(model => model.Id == id, cancellationToken) : null) ?? throw NoModel(id);

    /// <summary>A ready model's files, on this machine until they are disposed.</summary>
    /// <exception cref="ProblemException">The model has been deleted meanwhile: <c>not_found</c>.</exception>
    public async Task<FetchedModel> FetchAsync(StoredModel model, CancellationToken cancellationToken)
    {
        var main = await store.FetchAsync(model.Sha256!, cancellationToken) ?? throw NoModel(model.Id);
        return new FetchedModel(ModelParts.Single(main.Path), [main]);
    }

    /// <summary>Removes a model, and its bytes when no other row refers to them.</summary>
    /// <exception cref="ProblemException">There is none, or an unfinished job uses it.</exception>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        await transaction.RunAsync(
            async cancel =>
            {
                var model = await GetAsync(id, cancel);
                string? job = await db.Jobs.Where(JobStates.Unfinished).Where(row => row.ModelId == id).Select(row => row.Id).FirstOrDefaultAsync(cancel);
                if (job is not null)
                {
                    throw new ProblemException(ProblemKind.ResourceInUse, $"The job {job} uses {id}. Wait for it, or cancel it first.");
                }

                await db.Models.Where(row => row.Id == id).ExecuteDeleteAsync(cancel);
                return model.Sha256 is null ? null : await store.ReleaseAsync(model.Sha256, cancel);
            },
            cancellationToken,
            store.RemoveReleasedAsync);

    /// <summary>The answer for an id that does not exist.</summary>
    public static ProblemException NoModel(string id) => new(ProblemKind.NotFound, $"There is no model {id}.");

    private static ModelFormat FormatOf(string path)
    {
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        return model.Format;
    }
}
