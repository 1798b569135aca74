using Condense.Pipeline.Recipes;
using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Datasets;

/// <summary>Adds datasets, reads them, and takes them away.</summary>
internal sealed class DatasetLibrary(CondenseDbContext db, WriteTransaction transaction, ArtifactStore store, Caller caller, IdSource ids, TimeProvider clock)
{
    /// <summary>Adds token counts.</summary>
    /// <exception cref="RecipeException">The file does not hold token counts; nothing is stored.</exception>
    public async Task<Dataset> AddAsync(StagedFile file, string? name, CancellationToken cancellationToken)
    {
        FrequencyFile frequencies;
        await using (var stream = File.OpenRead(file.Path))
        {
            frequencies = await FrequencyFile.ReadAsync(stream, cancellationToken);
        }

        return await transaction.RunAsync(
            async cancel =>
            {
                await store.AdoptAsync(file, cancel);
                var dataset = new Dataset
                {
                    Id = ids.Next("dst_"),
                    TenantId = caller.Tenant,
                    Name = name,
                    Sha256 = file.Sha256,
                    Bytes = file.Bytes,
                    Count = frequencies.Counts.Count,
                    Total = frequencies.Counts.Sum(),
                    HasVocabulary = frequencies.Vocabulary.Count > 0,
                    CreatedAt = clock.GetUtcNow(),
                };
                db.Add(dataset);
                return dataset;
            },
            cancellationToken);
    }

    /// <summary>The dataset of that id.</summary>
    /// <exception cref="ProblemException">There is none: <c>not_found</c>.</exception>
    public async Task<Dataset> GetAsync(string id, CancellationToken cancellationToken) =>
        (IdSource.IsId(id) ? await db.Datasets.AsNoTracking().SingleOrDefaultAsync(dataset => dataset.Id == id, cancellationToken) : null) ?? throw NoDataset(id);

    /// <summary>The counts of a dataset.</summary>
    /// <exception cref="ProblemException">There is no such dataset: <c>not_found</c>.</exception>
    public async Task<FrequencyFile> ReadAsync(string id, CancellationToken cancellationToken)
    {
        var dataset = await GetAsync(id, cancellationToken);
        await using var stream = await store.OpenReadAsync(dataset.Sha256, cancellationToken) ?? throw NoDataset(id);
        return await FrequencyFile.ReadAsync(stream, cancellationToken);
    }

    /// <summary>Removes a dataset, and its bytes when no other row refers to them.</summary>
    /// <exception cref="ProblemException">There is none, or an unfinished job uses it.</exception>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        await transaction.RunAsync(
            async cancel =>
            {
                var dataset = await GetAsync(id, cancel);
                string? job = await db.Jobs.Where(JobStates.Unfinished).Where(row => row.DatasetId == id).Select(row => row.Id).FirstOrDefaultAsync(cancel);
                if (job is not null)
                {
                    throw new ProblemException(ProblemKind.ResourceInUse, $"The job {job} uses {id}. Wait for it, or cancel it first.");
                }

                await db.Datasets.Where(row => row.Id == id).ExecuteDeleteAsync(cancel);
                return await store.ReleaseAsync(dataset.Sha256, cancel);
            },
            cancellationToken,
            store.RemoveReleasedAsync);

    /// <summary>The answer for an id that does not exist.</summary>
    public static ProblemException NoDataset(string id) => new(ProblemKind.NotFound, $"There is no dataset {id}.");
}
