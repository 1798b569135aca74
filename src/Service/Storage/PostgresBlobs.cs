using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Condense.Service.Storage;

/// <summary>
/// Blobs as rows of 1 MiB in the table <c>artifact_chunk</c>, for every node of the cluster. What arrives is written to this machine's disk first, for
/// those who need a file, and goes on from there by binary COPY in stretches: however slowly a client sends, it keeps no connection. A blob is whole
/// before a row names it.
/// </summary>
internal sealed class PostgresBlobs(NpgsqlDataSource source, DataFolder folder, BlobCache cache, IdSource ids) : IBlobStore
{
    /// <summary>Bytes of one COPY.</summary>
    private const int StretchBytes = 16 << 20;

    private const string CopyIn = """COPY artifact_chunk (blob_id, "offset", data) FROM STDIN (FORMAT BINARY)""";

    private const string SelectLength =
        """SELECT "offset" + octet_length(data) FROM artifact_chunk WHERE blob_id = $1 ORDER BY "offset" DESC LIMIT 1""";

    /// <summary>A commit whose answer was lost may have named the blob: the rows decide, not what this process believes.</summary>
    private const string DeleteUnnamed =
        """
        DELETE FROM artifact_chunk WHERE blob_id = $1
        AND NOT EXISTS (SELECT FROM artifact WHERE artifact.blob_id = $1)
        AND NOT EXISTS (SELECT FROM checkpoint WHERE checkpoint.blob_id = $1)
        AND NOT EXISTS (SELECT FROM upload WHERE upload.blob_id = $1 AND upload.model_id IS NULL)
        """;

    private const string SelectUnnamed =
        """
        SELECT blob_id FROM artifact_chunk AS chunk WHERE "offset" = 0 AND blob_id >= $1 AND blob_id < $2
        AND NOT EXISTS (SELECT FROM artifact WHERE artifact.blob_id = chunk.blob_id)
        AND NOT EXISTS (SELECT FROM checkpoint WHERE checkpoint.blob_id = chunk.blob_id)
        AND NOT EXISTS (SELECT FROM upload WHERE upload.blob_id = chunk.blob_id AND upload.model_id IS NULL)
        """;

    /// <inheritdoc/>
    public async Task<StagedFile> StageAsync(Stream source, long limit, CancellationToken cancellationToken)
    {
        string blobId = ids.Next(FolderBlobs.Prefix);
        string path = Path.Combine(folder.Staging, blobId);
        try
        {
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);
            return await StoreAsync(blobId, path, source, limit, (block, offset, cancel) => RandomAccess.WriteAsync(file, block, offset, cancel).AsTask(), cancellationToken);
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
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return await StoreAsync(ids.Next(FolderBlobs.Prefix), path, stream, long.MaxValue, (_, _, _) => Task.CompletedTask, cancellationToken);
    }

    /// <inheritdoc/>
    public void Keep(StagedFile file) => file.IsKept = true;

    /// <inheritdoc/>
    public async Task<Stream?> OpenReadAsync(string blobId, CancellationToken cancellationToken)
    {
        if (cache.Find(blobId) is { } local)
        {
            return new LocalFileStream(local);
        }

        return await LengthAsync(blobId, cancellationToken) is { } length ? new ChunkStream(source, blobId, length) : null;
    }

    /// <inheritdoc/>
    public Task<LocalFile?> FetchAsync(string blobId, CancellationToken cancellationToken, string? sha256 = null) =>
        cache.GetAsync(blobId, path => FetchAsync(blobId, path, sha256), cancellationToken);

    /// <inheritdoc/>
    public async Task RemoveAsync(string blobId, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(DeleteUnnamed);
        command.Parameters.Add(new() { Value = blobId });
        if (await command.ExecuteNonQueryAsync(cancellationToken) > 0)
        {
            cache.Remove(blobId);
        }
    }

    /// <inheritdoc/>
    public async Task<int> RemoveUnnamedAsync(CondenseDbContext db, DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(SelectUnnamed);
        command.Parameters.Add(new() { Value = FolderBlobs.Prefix });
        command.Parameters.Add(new() { Value = IdSource.First(FolderBlobs.Prefix, before) });
        var unnamed = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                unnamed.Add(reader.GetString(0));
            }
        }

        foreach (string blobId in unnamed)
        {
            await RemoveAsync(blobId, cancellationToken);
        }

        return unnamed.Count;
    }

    /// <summary>Receives into the local file, and sends every full stretch of it on while the next one arrives.</summary>
    private async Task<StagedFile> StoreAsync(
        string blobId, string path, Stream bytes, long limit, Func<ReadOnlyMemory<byte>, long, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, FileOptions.Asynchronous);
        var sending = Task.CompletedTask;
        long sent = 0;
        try
        {
            var (sha256, length) = await Inflow.TakeAsync(
                bytes,
                limit,
                async (block, offset, cancel) =>
                {
                    await write(block, offset, cancel);
                    long end = offset + block.Length;
                    if (end - sent >= StretchBytes)
                    {
                        await sending;
                        sending = SendAsync(file, blobId, sent, end, cancellationToken);
                        sent = end;
                    }
                },
                cancellationToken);
            await sending;
            if (sent < length || length == 0)
            {
                await SendAsync(file, blobId, sent, length, cancellationToken);
            }

            return new StagedFile(blobId, path, sha256, length, DiscardAsync);
        }
        catch
        {
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await RemoveIfReachableAsync(blobId);
            throw;
        }
    }

    private async Task SendAsync(Microsoft.Win32.SafeHandles.SafeFileHandle file, string blobId, long start, long end, CancellationToken cancellationToken)
    {
        byte[] chunk = System.Buffers.ArrayPool<byte>.Shared.Rent(ArtifactChunk.Bytes);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            await using var import = await connection.BeginBinaryImportAsync(CopyIn, cancellationToken);
            long offset = start;
            do
            {
                var memory = chunk.AsMemory(0, (int)Math.Min(ArtifactChunk.Bytes, end - offset));
                int read = 0;
                while (read < memory.Length)
                {
                    int count = await RandomAccess.ReadAsync(file, memory[read..], offset + read, cancellationToken);
                    read += count > 0 ? count : throw new EndOfStreamException(string.Create(CultureInfo.InvariantCulture, $"The local copy of {blobId} ends at {offset + read}; {end} bytes were written."));
                }

                await import.StartRowAsync(cancellationToken);
                await import.WriteAsync(blobId, NpgsqlDbType.Text, cancellationToken);
                await import.WriteAsync(offset, NpgsqlDbType.Bigint, cancellationToken);
                await import.WriteAsync(memory, NpgsqlDbType.Bytea, cancellationToken);
                offset += memory.Length;
            }
            while (offset < end);
            await import.CompleteAsync(cancellationToken);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private async Task<bool> FetchAsync(string blobId, string path, string? sha256)
    {
        if (await LengthAsync(blobId, CancellationToken.None) is not { } length)
        {
            return false;
        }

        await using var chunks = new ChunkStream(source, blobId, length);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.Asynchronous, preallocationSize: length);
        var (digest, bytes) = await Inflow.TakeAsync(
            chunks, long.MaxValue, (block, offset, cancel) => RandomAccess.WriteAsync(file, block, offset, cancel).AsTask(), CancellationToken.None);
        return sha256 is null || (bytes == length && string.Equals(digest, sha256, StringComparison.Ordinal))
            ? true
            : throw new InvalidDataException($"The blob {blobId} has {bytes} bytes with SHA-256 {digest}; {sha256} was stored. The database is damaged: restore the blob from a backup.");
    }

    private async Task<long?> LengthAsync(string blobId, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(SelectLength);
        command.Parameters.Add(new() { Value = blobId });
        return (long?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private async ValueTask DiscardAsync(StagedFile file)
    {
        if (file.IsKept)
        {
            // What was just stored is likely to be read next.
            if (File.Exists(file.Path))
            {
                cache.Add(file.BlobId, file.Path);
            }

            return;
        }

        File.Delete(file.Path);
        await RemoveIfReachableAsync(file.BlobId);
    }

    /// <summary>If the database is away, the sweeper removes the blob later: no row names it.</summary>
    private async Task RemoveIfReachableAsync(string blobId)
    {
        try
        {
            await RemoveAsync(blobId, CancellationToken.None);
        }
        catch (Exception exception) when (DatabaseFault.IsAway(exception))
        {
        }
    }
}
