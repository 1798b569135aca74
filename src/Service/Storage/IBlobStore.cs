using Condense.Service.Problems;

namespace Condense.Service.Storage;

/// <summary>Where bytes lie: in the data folder, or in the database. A blob never changes; rows say what it is.</summary>
internal interface IBlobStore
{
    /// <summary>Stores a stream, hashing on the way; durable on return. Memory: a few buffers.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="limit">The most bytes that are taken.</param>
    /// <param name="cancellationToken">Stops; nothing is left.</param>
    /// <exception cref="ProblemException">There are more bytes than the limit: <c>payload_too_large</c>.</exception>
    Task<StagedFile> StageAsync(Stream source, long limit, CancellationToken cancellationToken);

    /// <summary>Stores a file that a job has made on this machine; it may be moved away.</summary>
    Task<StagedFile> StageFileAsync(string path, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps what is staged. Only inside <see cref="WriteTransaction"/>, beside the row that names the blob; a second call changes nothing. If the
    /// transaction does not commit, take it back by <see cref="StagedFile.IsKept"/>.
    /// </summary>
    void Keep(StagedFile file);

    /// <summary>Opens a blob for reading, seekable; null when it is gone.</summary>
    Task<Stream?> OpenReadAsync(string blobId, CancellationToken cancellationToken);

    /// <summary>The blob as a file on this machine, fetched if need be; null when it is gone.</summary>
    /// <param name="blobId">The blob.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="sha256">The digest that bytes from elsewhere must have.</param>
    /// <exception cref="InvalidDataException">What was fetched is not what was stored.</exception>
    Task<LocalFile?> FetchAsync(string blobId, CancellationToken cancellationToken, string? sha256 = null);

    /// <summary>Removes a blob that no row names any more.</summary>
    Task RemoveAsync(string blobId, CancellationToken cancellationToken);

    /// <summary>Removes what was begun before a moment and no row names: a process died over it.</summary>
    /// <param name="db">The rows.</param>
    /// <param name="before">The moment. What is younger may be about to be named.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>How many blobs.</returns>
    Task<int> RemoveUnnamedAsync(CondenseDbContext db, DateTimeOffset before, CancellationToken cancellationToken);
}
