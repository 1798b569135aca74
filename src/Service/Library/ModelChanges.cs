using System.Text.Json;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Library;

/// <summary>Changes what people say of a model: its name and metadata. Its bytes never change.</summary>
internal sealed class ModelChanges(CondenseDbContext db, WriteTransaction transaction, ModelLibrary library)
{
    /// <summary>Changes that come between the look and the change, and are looked at again; far more than clients that change one model at once.</summary>
    private const int Tries = 100;

    /// <summary>Changes a model.</summary>
    /// <param name="id">The model.</param>
    /// <param name="patch">The change.</param>
    /// <param name="check">Called with the model as it is just before the change; what it throws prevents it.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed.</param>
    /// <returns>The model after it.</returns>
    /// <exception cref="ProblemException">There is no such model, or the change can't be made.</exception>
    public async Task<StoredModel> ApplyAsync(string id, ModelPatch patch, Action<StoredModel> check, CancellationToken cancellationToken)
    {
        for (int i = 0; i < Tries; i++)
        {
            var model = await library.GetAsync(id, cancellationToken);
            check(model);
            var (name, metadata) = patch.ApplyTo(model);
            string? json = metadata.Count == 0 ? null : JsonSerializer.Serialize(metadata);
            int changed = await transaction.RunAsync(
                cancel => db.Models.Where(row => row.Id == id && row.Version == model.Version).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.Name, name)
                        .SetProperty(row => row.MetadataJson, json)
                        .SetProperty(row => row.Version, row => row.Version + 1),
                    cancel),
                cancellationToken);
            if (changed == 1)
            {
                return await library.GetAsync(id, cancellationToken);
            }
        }

        throw new ProblemException(ProblemKind.ResourceInUse, $"Others keep changing {id}. Try again.");
    }
}
