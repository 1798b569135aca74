using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>
/// Blobs as files: <c>artifacts/XY/blb_…XY</c>. Bytes arrive in the staging folder and are durable there; a blob appears by a rename inside the one
/// write transaction, and disappears after the commit that took its last reference.
/// </summary>
internal sealed class FolderBlobs(DataFolder folder, IdSource ids) : IBlobStore
{
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
        try
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.Asynchronous);
            var (sha256, bytes) = await Inflow.TakeAsync(
                source, limit, (block, offset, cancel) => RandomAccess.WriteAsync(file, block, offset, cancel).AsTask(), cancellationToken);
            RandomAccess.FlushToDisk(file);
            return new StagedFile(blobId, path, sha256, bytes, Discard);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<StagedFile> StageFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Inflow.BlockBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        byte[] digest = await SHA256.HashDataAsync(stream, cancellationToken);
        return new StagedFile(ids.Next(Prefix), path, Convert.ToHexStringLower(digest), stream.Length, Discard);
    }

    /// <inheritdoc/>
    public void Keep(StagedFile file)
    {
        string path = PathOf(file.BlobId);
        if (!string.Equals(file.Path, path, StringComparison.Ordinal))
        {
            string place = Path.GetDirectoryName(path)!;
            if (!Directory.Exists(place))
            {
                Directory.CreateDirectory(place);
                FolderEntries.FlushToDisk(folder.Artifacts);
            }

            File.Move(file.Path, path);
            file.Path = path;
            FolderEntries.FlushToDisk(place);
        }

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
    public Task<LocalFile?> FetchAsync(string blobId, CancellationToken cancellationToken, string? sha256 = null)
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

    /// <inheritdoc/>
    public async Task<int> RemoveUnnamedAsync(CondenseDbContext db, DateTimeOffset before, CancellationToken cancellationToken)
    {
        // The files first: what is named after this look is not among them.
        string[] files =
        [
            .. new[] { folder.Artifacts, folder.Staging }
                .SelectMany(place => Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories))
                .Where(path => File.GetLastWriteTimeUtc(path) < before.UtcDateTime),
        ];
        if (files.Length == 0)
        {
            return 0;
        }

        var named = await db.Artifacts.IgnoreQueryFilters().Select(row => row.BlobId)
            .Concat(db.Checkpoints.IgnoreQueryFilters().Select(row => row.BlobId))
            .Concat(db.Uploads.IgnoreQueryFilters().Where(row => row.ModelId == null).Select(row => row.BlobId))
            .ToHashSetAsync(StringComparer.Ordinal, cancellationToken);
        string[] unnamed = [.. files.Where(path => !named.Contains(Path.GetFileName(path)))];
        Array.ForEach(unnamed, File.Delete);
        return unnamed.Length;
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
