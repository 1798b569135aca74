using System.Security.Cryptography;
using Condense.Service.Storage;

namespace Condense.Service.Uploads;

/// <summary>
/// Uploads as growing files in the staging folder, which belongs to one process. Bytes are flushed to the disk before the row speaks of them; that and
/// the look at the token happen in turns, so that who has lost the upload can't write over what came after.
/// </summary>
internal sealed class FolderUploads(DataFolder folder, FolderBlobs blobs, UploadLedger ledger) : IUploadBytes
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Uploads share them by chance, which costs a wait for one flush. A power of two.</summary>
    private static readonly SemaphoreSlim[] s_turns = [.. Enumerable.Range(0, 256).Select(_ => new SemaphoreSlim(1, 1))];

    /// <inheritdoc/>
    public async Task<bool> AppendAsync(UploadTurn turn, long position, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellationToken)
    {
        var gate = GateOf(turn.BlobId);
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!await ledger.HoldsAsync(turn, cancellationToken))
            {
                return false;
            }

            if (bytes.Length > 0)
            {
                // Where bytes were acknowledged there is a file: one that is made now would begin with zeros.
                string path = PathOf(turn.BlobId);
                bool isNew = position == 0 && !File.Exists(path);
                using var file = File.OpenHandle(path, isNew ? FileMode.CreateNew : FileMode.Open, FileAccess.Write, FileShare.Read, FileOptions.Asynchronous);
                await RandomAccess.WriteAsync(file, bytes, position, cancellationToken);
                RandomAccess.FlushToDisk(file);
                if (isNew)
                {
                    FolderEntries.FlushToDisk(folder.Staging);
                }
            }

            return await ledger.MoveAsync(turn, offset, cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public async Task<StagedFile?> CompleteAsync(UploadTurn turn, CancellationToken cancellationToken)
    {
        var gate = GateOf(turn.BlobId);
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!await ledger.HoldsAsync(turn, cancellationToken))
            {
                return null;
            }

            string path = PathOf(turn.BlobId);
            await using var stream = new FileStream(path, turn.Length == 0 ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
            byte[] digest = await SHA256.HashDataAsync(stream, cancellationToken);
            return stream.Length == turn.Length
                ? new StagedFile(turn.BlobId, path, Convert.ToHexStringLower(digest), turn.Length, static _ => ValueTask.CompletedTask)
                : throw new InvalidDataException($"The upload {turn.Id} has {stream.Length} bytes; {turn.Length} were acknowledged.");
        }
        finally
        {
            gate.Release();
        }
    }

    /// <inheritdoc/>
    public async Task RemoveAsync(string blobId)
    {
        var gate = GateOf(blobId);
        await gate.WaitAsync(CancellationToken.None);
        try
        {
            File.Delete(PathOf(blobId));
        }
        finally
        {
            gate.Release();
        }
    }

    private static SemaphoreSlim GateOf(string blobId) => s_turns[string.GetHashCode(blobId, StringComparison.Ordinal) & (s_turns.Length - 1)];

    /// <summary>The growing file. One that a transaction had taken into the store, and then did not commit, comes back.</summary>
    private string PathOf(string blobId)
    {
        string path = Path.Combine(folder.Staging, blobId);
        string stored = blobs.PathOf(blobId);
        if (!File.Exists(path) && File.Exists(stored))
        {
            File.Move(stored, path);
        }

        return path;
    }
}
