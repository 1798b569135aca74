using System.Text.Json;
using Condense.Models;
using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Library;

/// <summary>Adds models and takes them away.</summary>
internal sealed class ModelLibrary(
    CondenseDbContext db, WriteTransaction transaction, ArtifactStore store, ModelOpener opener, WorkTriggers triggers, Caller caller, IdSource ids, TimeProvider clock)
{
    /// <summary>
    /// Adds an uploaded file as a model. Its structure is judged at once; the weights are read by a worker afterwards, which the same transaction
    /// schedules.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="name">What people shall call it.</param>
    /// <param name="metadata">The client's own names and values.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <param name="beside">Called with the model's id first in the transaction; what it throws rolls everything back.</param>
    /// <exception cref="ModelFormatException">The file is no model; nothing is stored.</exception>
    public async Task<StoredModel> AddAsync(
        StagedFile file,
        string? name,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancellationToken,
        Func<string, CancellationToken, Task>? beside = null)
    {
        var format = await opener.RunAsync(() => FormatOf(file.Path), cancellationToken);
        return await transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                string id = ids.Next("mdl_");
                await (beside?.Invoke(id, cancel) ?? Task.CompletedTask);
                await store.AdoptAsync(file, cancel);
                var model = new StoredModel
                {
                    Id = id,
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

    /// <summary>A committed model's files, on this machine until they are disposed.</summary>
    /// <exception cref="ProblemException">The model has been deleted meanwhile: <c>not_found</c>.</exception>
    public Task<FetchedModel> FetchAsync(StoredModel model, CancellationToken cancellationToken) =>
        FetchAsync(model, model.Sha256!, model.Parts.Where(part => !part.IsMain), cancellationToken);

    /// <summary>Files of a model, on this machine until they are disposed.</summary>
    /// <param name="model">The model.</param>
    /// <param name="mainSha256">The main file.</param>
    /// <param name="others">The others.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">The model has been deleted meanwhile: <c>not_found</c>.</exception>
    public async Task<FetchedModel> FetchAsync(StoredModel model, string mainSha256, IEnumerable<ModelPart> others, CancellationToken cancellationToken)
    {
        var files = new List<LocalFile>();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            string main = await FetchOneAsync(mainSha256);
            foreach (var part in others)
            {
                paths.Add(part.Name, await FetchOneAsync(part.Sha256));
            }

            return new FetchedModel(new ModelParts(main, paths), files);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }

        async Task<string> FetchOneAsync(string sha256)
        {
            files.Add(await store.FetchAsync(sha256, cancellationToken) ?? throw NoModel(model.Id));
            return files[^1].Path;
        }
    }

    /// <summary>Removes a model, and its bytes when no other row refers to them.</summary>
    /// <param name="id">The model.</param>
    /// <param name="cancellationToken">Gives up; nothing is removed.</param>
    /// <param name="onlyReceiving">Whether a model that has been committed stays.</param>
    /// <exception cref="ProblemException">There is none, or an unfinished job uses it.</exception>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken, bool onlyReceiving = false) =>
        await transaction.RunAsync(
            async cancel =>
            {
                var model = await GetAsync(id, cancel);
                string? job = await db.Jobs.Where(JobStates.Unfinished).Where(row => row.ModelId == id).Select(row => row.Id).FirstOrDefaultAsync(cancel);
                if (job is not null)
                {
                    throw new ProblemException(ProblemKind.ResourceInUse, $"The job {job} uses {id}. Wait for it, or cancel it first.");
                }

                var released = new List<string?>();
                var forms = await db.Forms.Where(row => row.ModelId == id).Select(row => row.Sha256).ToListAsync(cancel);
                if (await db.Models.Where(row => row.Id == id && (!onlyReceiving || row.State == ModelState.Receiving)).ExecuteDeleteAsync(cancel) == 0)
                {
                    return released;
                }

                // Where the uploads went that it was made of, nobody needs to know any more.
                await db.Uploads.Where(row => row.ModelId == id).ExecuteDeleteAsync(cancel);

                // A part or a form that came between the look and the deletion went with the rows; its bytes are found by housekeeping.
                foreach (string sha256 in model.Parts.Select(part => part.Sha256).Append(model.Sha256).Concat(forms).OfType<string>().Distinct(StringComparer.Ordinal))
                {
                    released.Add(await store.ReleaseAsync(sha256, cancel));
                }

                return released;
            },
            cancellationToken,
            async released =>
            {
                foreach (string? blob in released)
                {
                    await store.RemoveReleasedAsync(blob);
                }
            });

    /// <summary>The answer for an id that does not exist.</summary>
    public static ProblemException NoModel(string id) => new(ProblemKind.NotFound, $"There is no model {id}.");

    private static ModelFormat FormatOf(string path)
    {
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        return model.Format;
    }
}
