namespace Condense.Service.Storage;

/// <summary>A whole, durable file that no row speaks of yet. Disposing removes it, unless it has become an artifact.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Sha256">Its digest, lower-case hex.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record StagedFile(string Path, string Sha256, long Bytes) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => File.Delete(Path);
}
