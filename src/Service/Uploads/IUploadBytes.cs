using Condense.Service.Storage;

namespace Condense.Service.Uploads;

/// <summary>Where the bytes of unfinished uploads lie: a growing file, or rows that any node can go on with.</summary>
internal interface IUploadBytes
{
    /// <summary>
    /// Stores bytes, durable on return, and moves the upload's offset in the same step. Bytes beyond the offset, which nobody was told of, are replaced.
    /// </summary>
    /// <param name="turn">The right to do so.</param>
    /// <param name="position">Where the bytes belong; never before the offset.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="offset">The upload's offset from now on.</param>
    /// <param name="cancellationToken">Gives up; the offset stays.</param>
    /// <returns>False when another request has taken over: nothing of it counts.</returns>
    Task<bool> AppendAsync(UploadTurn turn, long position, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellationToken);

    /// <summary>The whole upload as a staged file. Disposing it removes nothing that another attempt could need: see <see cref="RemoveAsync"/>.</summary>
    /// <returns>Null when the bytes are gone: another request has taken over and removed them.</returns>
    Task<StagedFile?> CompleteAsync(UploadTurn turn, CancellationToken cancellationToken);

    /// <summary>Removes the bytes of an upload that will not go on.</summary>
    Task RemoveAsync(string blobId);
}
