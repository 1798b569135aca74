using System.Text.Json;
using Condense.Models;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Condense.Service.Library;

/// <summary>Receives models of several files: begins them, takes their files one by one, and makes them whole.</summary>
internal sealed class PartLibrary(
    CondenseDbContext db,
    WriteTransaction transaction,
    ArtifactStore store,
    ModelLibrary library,
    ModelOpener opener,
    WorkTriggers triggers,
    Caller caller,
    IdSource ids,
    IOptions<LimitsOptions> limits,
    TimeProvider clock)
{
    /// <summary>Begins a model.</summary>
    public Task<StoredModel> CreateAsync(string? name, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            _ =>
            {
                var model = new StoredModel
                {
                    Id = ids.Next("mdl_"),
                    TenantId = caller.Tenant,
                    Name = name,
                    Format = null,
                    Sha256 = null,
                    Bytes = 0,
                    State = ModelState.Receiving,
                    MetadataJson = metadata.Count == 0 ? null : JsonSerializer.Serialize(metadata),
                    CreatedAt = clock.GetUtcNow(),
                };
                db.Add(model);
                return Task.FromResult(model);
            },
            cancellationToken);

    /// <summary>How many bytes a file may have.</summary>
    /// <param name="id">The model.</param>
    /// <param name="name">The file; null while its name is not known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">There is no such model, it takes no files any more, or has as many as it may.</exception>
    public async Task<long> RoomAsync(string id, string? name, CancellationToken cancellationToken) => RoomIn(await library.GetAsync(id, cancellationToken), name);

    /// <summary>Adds a file, or replaces the one of that name.</summary>
    /// <param name="id">The model.</param>
    /// <param name="name">The name, checked.</param>
    /// <param name="file">The file.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <param name="beside">Called with the model's id first in the transaction; what it throws rolls everything back.</param>
    /// <exception cref="ProblemException">There is no such model, it takes no files any more, or there is no room.</exception>
    public Task<ModelPart> AddAsync(
        string id, string name, StagedFile file, CancellationToken cancellationToken, Func<string, CancellationToken, Task>? beside = null)
    {
        string? released = null;
        return transaction.RunAsync(
            async cancel =>
            {
                await (beside?.Invoke(id, cancel) ?? Task.CompletedTask);
                var model = await LockAsync(id, cancel);
                long room = RoomIn(model, name);
                if (file.Bytes > room)
                {
                    throw new ProblemException(ProblemKind.PayloadTooLarge, $"The file has {file.Bytes} bytes; the model {id} has room for {room} more. GET /v1/limits lists the limits.");
                }

                released = await TakeOutAsync(model, name, cancel);
                await store.AdoptAsync(file, cancel);
                var part = new ModelPart { ModelId = id, Name = name, TenantId = model.TenantId, Sha256 = file.Sha256, Bytes = file.Bytes };
                db.Add(part);
                await ChangeBytesAsync(id, file.Bytes, cancel);
                return part;
            },
            cancellationToken,
            _ => store.RemoveReleasedAsync(released));
    }

    /// <summary>Takes a file away.</summary>
    /// <exception cref="ProblemException">There is no such model or file, or the model takes none away any more.</exception>
    public Task RemoveAsync(string id, string name, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                var model = await LockAsync(id, cancel);
                return Find(model, name) is null ? throw NoPart(id, name) : await TakeOutAsync(model, name, cancel);
            },
            cancellationToken,
            store.RemoveReleasedAsync);

    /// <summary>Makes a model of the files; a worker reads the weights afterwards, which the same transaction schedules.</summary>
    /// <exception cref="ProblemException">There is no such model, it is committed already, or its files don't fit together: <c>parts_mismatch</c>.</exception>
    /// <exception cref="ModelFormatException">The files are no model; it stays as it is and can be mended.</exception>
    public async Task<StoredModel> CommitAsync(string id, CancellationToken cancellationToken)
    {
        var seen = await library.GetAsync(id, cancellationToken);
        RequireReceiving(seen);
        if (seen.Parts.Count == 0)
        {
            throw new ProblemException(ProblemKind.PartsMismatch, $"The model {id} has no files. Add them at POST /v1/models/{id}/parts?name=….");
        }

        string main;
        ModelFormat format;
        using (var files = await library.FetchAsync(seen, seen.Parts[0].Sha256, seen.Parts, cancellationToken))
        {
            (main, format) = await opener.RunAsync(() => JoinedFiles.Judge(files.Parts.Others), cancellationToken);
        }

        string sha256 = Find(seen, main)!.Sha256;
        return await transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                // The version tells whether the files are still those that were judged.
                int committed = await db.Models.Where(row => row.Id == id && row.State == ModelState.Receiving && row.Version == seen.Version).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.State, ModelState.Validating)
                        .SetProperty(row => row.Format, format)
                        .SetProperty(row => row.Sha256, sha256)
                        .SetProperty(row => row.Version, row => row.Version + 1),
                    cancel);
                if (committed == 0)
                {
                    RequireReceiving(await library.GetAsync(id, cancel));
                    throw new ProblemException(ProblemKind.ResourceInUse, $"A file of the model {id} changed while it was being committed. Commit it again.");
                }

                await db.Parts.Where(part => part.ModelId == id && part.Name == main).ExecuteUpdateAsync(set => set.SetProperty(part => part.IsMain, true), cancel);
                await triggers.InspectAsync(scheduler, id, cancel);
                return await library.GetAsync(id, cancel);
            },
            cancellationToken);
    }

    /// <summary>The answer for a file that does not exist.</summary>
    public static ProblemException NoPart(string id, string name) => new(ProblemKind.NotFound, $"The model {id} has no file {name}.");

    private static ModelPart? Find(StoredModel model, string? name) => model.Parts.Find(part => string.Equals(part.Name, name, StringComparison.Ordinal));

    private static void RequireReceiving(StoredModel model)
    {
        if (model.State != ModelState.Receiving)
        {
            throw new ProblemException(
                ProblemKind.ModelCommitted, $"The model {model.Id} is {model.State.ToString().ToLowerInvariant()}: its files stay as they are. Another model begins with POST /v1/models?parts=true.");
        }
    }

    private long RoomIn(StoredModel model, string? name)
    {
        RequireReceiving(model);
        var old = Find(model, name);
        return old is null && model.Parts.Count >= limits.Value.ModelParts
            ? throw ProblemException.Field("?name", $"The model {model.Id} has {model.Parts.Count} files, as many as it may have.")
            : limits.Value.ModelBytes - model.Parts.Sum(part => part.Bytes) + (old?.Bytes ?? 0);
    }

    /// <summary>Nobody else changes the files of the model, or commits it, before this transaction ends.</summary>
    private async Task<StoredModel> LockAsync(string id, CancellationToken cancellationToken)
    {
        await db.Models.Where(row => row.Id == id && row.State == ModelState.Receiving)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Version, row => row.Version + 1), cancellationToken);
        var model = await library.GetAsync(id, cancellationToken);
        RequireReceiving(model);
        return model;
    }

    /// <summary>Removes the row of a file, if there is one; its blob when no other row refers to it.</summary>
    private async Task<string?> TakeOutAsync(StoredModel model, string name, CancellationToken cancellationToken)
    {
        if (Find(model, name) is not { } old)
        {
            return null;
        }

        await db.Parts.Where(part => part.ModelId == model.Id && part.Name == name).ExecuteDeleteAsync(cancellationToken);
        await ChangeBytesAsync(model.Id, -old.Bytes, cancellationToken);
        return await store.ReleaseAsync(old.Sha256, cancellationToken);
    }

    private Task<int> ChangeBytesAsync(string id, long bytes, CancellationToken cancellationToken) =>
        db.Models.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Bytes, row => row.Bytes + bytes), cancellationToken);
}
