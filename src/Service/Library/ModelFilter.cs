using Condense.Service.Storage;

namespace Condense.Service.Library;

/// <summary>Which models a list shows: those that satisfy all of it.</summary>
/// <param name="State">In this state.</param>
/// <param name="Sha256">With this digest of their file.</param>
/// <param name="CreatedAfter">Stored later.</param>
internal sealed record ModelFilter(ModelState? State, string? Sha256, DateTimeOffset? CreatedAfter)
{
    /// <summary>Inputs and outputs of more characters, and findings, are left out of lists.</summary>
    public const int MaxText = 16 << 10;

    /// <summary>The rows before a given one, newest first, without what lists do not show.</summary>
    /// <param name="db">The tables.</param>
    /// <param name="before">The id of the last row of the page before; null for the first page.</param>
    public IQueryable<StoredModel> Rows(CondenseDbContext db, string? before)
    {
        IQueryable<StoredModel> models = db.Models;
        if (before is not null)
        {
            models = models.Where(model => model.Id.CompareTo(before) < 0);
        }

        if (State is { } state)
        {
            models = models.Where(model => model.State == state);
        }

        if (Sha256 is { } digest)
        {
            models = models.Where(model => model.Sha256 == digest);
        }

        if (CreatedAfter is { } moment)
        {
            // An id begins with the moment of its making, which is not before the row's: the index over ids ends the search.
            string first = IdSource.First(StoredModel.IdPrefix, moment);
            models = models.Where(model => model.Id.CompareTo(first) >= 0 && model.CreatedAt > moment);
        }

        return models.OrderByDescending(model => model.Id).Select(model => new StoredModel
        {
            Id = model.Id,
            TenantId = model.TenantId,
            Name = model.Name,
            Format = model.Format,
            Sha256 = model.Sha256,
            Bytes = model.Bytes,
            State = model.State,
            SourceJobId = model.SourceJobId,
            ParameterCount = model.ParameterCount,
            GraphJson = model.GraphJson!.Length <= MaxText ? model.GraphJson : null,
            FindingsJson = model.FindingsJson.Length <= MaxText ? model.FindingsJson : "[]",
            MetadataJson = model.MetadataJson,
            Version = model.Version,
            CreatedAt = model.CreatedAt,
        });
    }
}
