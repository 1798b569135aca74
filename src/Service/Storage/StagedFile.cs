namespace Condense.Service.Storage;

/// <summary>Whole, durable bytes that no row speaks of yet, and a copy of them on this machine. Disposing removes both, unless they have become an artifact.</summary>
/// <param name="blobId">Their name in the store.</param>
/// <param name="path">The copy on this machine.</param>
/// <param name="sha256">Their digest, lower-case hex.</param>
/// <param name="bytes">Their length.</param>
/// <param name="discard">Removes what is not kept.</param>
internal sealed class StagedFile(string blobId, string path, string sha256, long bytes, Func<StagedFile, ValueTask> discard) : IAsyncDisposable
{
    /// <summary>Their name in the store.</summary>
    public string BlobId => blobId;

    /// <summary>The copy on this machine; the store moves it when the bytes are kept.</summary>
    public string Path { get; set; } = path;

    /// <summary>Their digest, lower-case hex.</summary>
    public string Sha256 => sha256;

    /// <summary>Their length.</summary>
    public long Bytes => bytes;

    /// <summary>Whether a row names them: then they are not removed. Taken back when that row's transaction does not commit.</summary>
    public bool IsKept { get; set; }

    /// <summary>What counts the bytes for their tenant until a row does.</summary>
    public IDisposable? Arrival { get; set; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Arrival?.Dispose();
        return discard(this);
    }
}
