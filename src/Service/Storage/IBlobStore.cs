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

    /// <summary>Keeps what is staged. Only inside <see cref="WriteTransaction"/>, beside the row that names the blob.</summary>
    void Keep(StagedFile file);

    /// <summary>Opens a blob for reading, seekable; null when it is gone.</summary>
    Task<Stream?> OpenReadAsync(string blobId, CancellationToken cancellationToken);

    /// <summary>The blob as a file on this machine, fetched if need be; null when it is gone.</summary>
    Task<LocalFile?> FetchAsync(string blobId, CancellationToken cancellationToken);

    /// <summary>Removes a blob that no row names any more. A reader that has it open reads on.</summary>
    Task RemoveAsync(string blobId, CancellationToken cancellationToken);
}
