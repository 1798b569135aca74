using System.Buffers;
using System.Security.Cryptography;
using Condense.Service.Problems;

namespace Condense.Service.Storage;

/// <summary>
/// Blobs as files: <c>artifacts/XY/blb_…XY</c>. Bytes arrive in the staging folder and are durable there; a blob appears by a rename inside the one
/// write transaction, and disappears after the commit that took its last reference.
/// </summary>
internal sealed class FolderBlobs(DataFolder folder, IdSource ids) : IBlobStore
{
    private const int BufferBytes = 1 << 20;

    /// <summary>The first characters of a blob's id.</summary>
    public const string Prefix = "blb_";

    /// <summary>The path of a blob. A ULID's last characters are random; the digests of version 0.2 are so from the first on.</summary>
    public string PathOf(string blobId) =>
        Path.Combine(folder.Artifacts, blobId.StartsWith(Prefix, StringComparison.Ordinal) ? blobId[^2..] : blobId[..2], blobId);

    /// <inheritdoc/>
    public async Task<StagedFile> StageAsync(Stream source, long limit, CancellationToken cancellationToken)
    {
        string blobId = ids.Next(Prefix);
        string path = Path.Combine(folder.Staging, blobId);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        bool whole = false;
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long length = 0;
            using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.Asynchronous))
            {
                int read;
                while ((read = await source.ReadAtLeastAsync(buffer.AsMemory(0, BufferBytes), BufferBytes, throwOnEndOfStream: false, cancellationToken)) > 0)
                {
                    if (read > limit - length)
                    {
                        throw new ProblemException(ProblemKind.PayloadTooLarge, $"The file has more than the {limit} bytes that are accepted. GET /v1/limits lists the limits.");
                    }

                    hash.AppendData(buffer, 0, read);
                    await RandomAccess.WriteAsync(file, buffer.AsMemory(0, read), length, cancellationToken);
                    length += read;
                }

                RandomAccess.FlushToDisk(file);
            }

            whole = true;
            return new StagedFile(blobId, path, Convert.ToHexStringLower(hash.GetHashAndReset()), length, Discard);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (!whole)
            {
                File.Delete(path);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<StagedFile> StageFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        byte[] digest = await SHA256.HashDataAsync(stream, cancellationToken);
        return new StagedFile(ids.Next(Prefix), path, Convert.ToHexStringLower(digest), stream.Length, Discard);
    }

    /// <inheritdoc/>
    public void Keep(StagedFile file)
    {
        string path = PathOf(file.BlobId);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(file.Path, path);
        file.IsKept = true;
    }

    /// <inheritdoc/>
    public Task<Stream?> OpenReadAsync(string blobId, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<Stream?>(
                new FileStream(PathOf(blobId), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Deleted between the look at its row and this.
            return Task.FromResult<Stream?>(null);
        }
    }

    /// <inheritdoc/>
    public Task<LocalFile?> FetchAsync(string blobId, CancellationToken cancellationToken)
    {
        string path = PathOf(blobId);
        return Task.FromResult(File.Exists(path) ? new LocalFile(path) : null);
    }

    /// <inheritdoc/>
    public Task RemoveAsync(string blobId, CancellationToken cancellationToken)
    {
        string path = PathOf(blobId);
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        return Task.CompletedTask;
    }

    private static ValueTask Discard(StagedFile file)
    {
        if (!file.IsKept)
        {
            File.Delete(file.Path);
        }

        return ValueTask.CompletedTask;
    }
}
