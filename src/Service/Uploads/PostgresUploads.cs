using System.Buffers;
using System.Security.Cryptography;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Condense.Service.Uploads;

/// <summary>
/// Uploads as rows of <c>artifact_chunk</c>: any node can go on with one. Bytes and offset commit together, and the upload's row is locked meanwhile.
/// </summary>
internal sealed class PostgresUploads(CondenseDbContext db, NpgsqlDataSource source, WriteTransaction transaction, UploadLedger ledger, DataFolder folder, IdSource ids) : IUploadBytes
{
    private const string Copy = """COPY artifact_chunk (blob_id, "offset", data) FROM STDIN (FORMAT BINARY)""";
    private const string Read = """SELECT data FROM artifact_chunk WHERE blob_id = $1 ORDER BY "offset" """;
    private const int BufferBytes = 1 << 20;

    /// <inheritdoc/>
    public Task<bool> AppendAsync(UploadTurn turn, long position, ReadOnlyMemory<byte> bytes, long offset, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                // First: it locks the row, and whoever takes over waits for the end of this.
                if (!await ledger.MoveWithinAsync(turn, offset, cancel))
                {
                    return false;
                }

                await db.Chunks.Where(chunk => chunk.BlobId == turn.BlobId && chunk.Offset >= position).ExecuteDeleteAsync(cancel);
                if (bytes.Length > 0)
                {
                    await CopyAsync(turn.BlobId, position, bytes, cancel);
                }

                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task<StagedFile?> CompleteAsync(UploadTurn turn, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder.Staging, ids.Next(FolderBlobs.Prefix));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        StagedFile? whole = null;
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long length = 0;
            using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.Asynchronous))
            {
                await using var command = source.CreateCommand(Read);
                command.Parameters.AddWithValue(turn.BlobId);
                await using var reader = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                {
                    await using var chunk = await reader.GetStreamAsync(0, cancellationToken);
                    for (int read; (read = await chunk.ReadAtLeastAsync(buffer.AsMemory(0, BufferBytes), BufferBytes, throwOnEndOfStream: false, cancellationToken)) > 0;)
                    {
                        hash.AppendData(buffer, 0, read);
                        await RandomAccess.WriteAsync(file, buffer.AsMemory(0, read), length, cancellationToken);
                        length += read;
                    }
                }
            }

            if (length == turn.Length)
            {
                return whole = new StagedFile(turn.BlobId, path, Convert.ToHexStringLower(hash.GetHashAndReset()), length, Discard);
            }

            return await ledger.HoldsAsync(turn, cancellationToken)
                ? throw new InvalidDataException($"The upload {turn.Id} has {length} bytes; {turn.Length} were acknowledged.")
                : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (whole is null)
            {
                File.Delete(path);
            }
        }
    }

    /// <inheritdoc/>
    public Task RemoveAsync(string blobId) =>
        transaction.RunAsync(cancel => db.Chunks.Where(chunk => chunk.BlobId == blobId).ExecuteDeleteAsync(cancel), CancellationToken.None);

    /// <summary>Only the copy on this machine; the rows stay.</summary>
    private static ValueTask Discard(StagedFile file)
    {
        File.Delete(file.Path);
        return ValueTask.CompletedTask;
    }

    private async Task CopyAsync(string blobId, long position, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await using var writer = await connection.BeginBinaryImportAsync(Copy, cancellationToken);
        for (int start = 0; start < bytes.Length; start += ArtifactChunk.Bytes)
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(blobId, NpgsqlDbType.Text, cancellationToken);
            await writer.WriteAsync(position + start, NpgsqlDbType.Bigint, cancellationToken);
            await writer.WriteAsync(bytes.Slice(start, int.Min(ArtifactChunk.Bytes, bytes.Length - start)), NpgsqlDbType.Bytea, cancellationToken);
        }

        await writer.CompleteAsync(cancellationToken);
    }
}
