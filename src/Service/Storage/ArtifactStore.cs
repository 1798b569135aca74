using System.Buffers;
using System.Security.Cryptography;
using Condense.Service.Problems;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Storage;

/// <summary>
/// Files by digest: <c>artifacts/ab/abcd…</c>. Bytes arrive in the staging folder and are durable there; an artifact appears by a rename and the
/// commit of its row, both inside the one write transaction, and disappears after the commit that took its last reference.
/// </summary>
internal sealed class ArtifactStore(DataFolder folder, IdSource ids, TimeProvider clock)
{
    private const int BufferBytes = 1 << 20;

    /// <summary>The path of an artifact.</summary>
    public string PathOf(string sha256) => Path.Combine(folder.Artifacts, sha256[..2], sha256);

    /// <summary>Opens an artifact; null when it is gone.</summary>
    public FileStream? OpenRead(string sha256)
    {
        try
        {
            return new FileStream(PathOf(sha256), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0, FileOptions.Asynchronous);
        }
        catch (FileNotFoundException)
        {
            // Deleted between the look at its row and this.
            return null;
        }
    }

    /// <summary>Writes a stream to the staging folder, hashing on the way, and waits until it is on the disk. Memory: one buffer.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="limit">The most bytes that are taken.</param>
    /// <param name="cancellationToken">Stops; nothing is left.</param>
    /// <exception cref="ProblemException">There are more bytes than the limit: <c>payload_too_large</c>.</exception>
    public async Task<StagedFile> StageAsync(Stream source, long limit, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder.Staging, ids.Next("upl_"));
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
            return new StagedFile(path, Convert.ToHexStringLower(hash.GetHashAndReset()), length);
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

    /// <summary>Measures a whole file that a job has made on the same disk.</summary>
    public static async Task<StagedFile> MeasureAsync(string path, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        byte[] digest = await SHA256.HashDataAsync(stream, cancellationToken);
        return new StagedFile(path, Convert.ToHexStringLower(digest), stream.Length);
    }

    /// <summary>
    /// Makes an artifact of a staged file, or recognises that its bytes are there already. Only inside <see cref="WriteTransaction"/>: the
    /// row commits with the rows that refer to it, and no deletion runs beside it.
    /// </summary>
    public async Task AdoptAsync(CondenseDbContext db, StagedFile file, CancellationToken cancellationToken)
    {
        string path = PathOf(file.Sha256);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // Replacing is harmless: the name is the content.
        File.Move(file.Path, path, overwrite: true);
        if (!await db.Artifacts.AnyAsync(row => row.Sha256 == file.Sha256, cancellationToken))
        {
            db.Add(new Artifact { Sha256 = file.Sha256, Bytes = file.Bytes, CreatedAt = clock.GetUtcNow() });
        }
    }

    /// <summary>Takes the artifact's row when nothing refers to it any more. Only inside <see cref="WriteTransaction"/>.</summary>
    /// <returns>The digest of the file that is to be removed once the transaction has committed; null when it is still referred to.</returns>
    public static async Task<string?> ReleaseAsync(CondenseDbContext db, string sha256, CancellationToken cancellationToken) =>
        await db.Artifacts
            .Where(row => row.Sha256 == sha256
                && !db.Models.Any(model => model.Sha256 == sha256)
                && !db.Datasets.Any(dataset => dataset.Sha256 == sha256))
            .ExecuteDeleteAsync(cancellationToken) > 0 ? sha256 : null;

    /// <summary>Removes the file of a released artifact, if there is one. A reader that has it open reads on.</summary>
    public void RemoveReleased(string? sha256)
    {
        if (sha256 is not null)
        {
            File.Delete(PathOf(sha256));
        }
    }
}
