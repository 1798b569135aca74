using System.Security.Cryptography;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class PostgresBlobsTests : IAsyncLifetime
{
    /// <summary>More than two stretches of COPY, and no whole number of chunks.</summary>
    private const int Length = (33 << 20) + 12345;

    private static readonly byte[] s_bytes = Bytes(Length);

    private RunningService _service = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IBlobStore Blobs => _service.Services.GetRequiredService<IBlobStore>();

    private NpgsqlDataSource Source => _service.Services.GetRequiredService<NpgsqlDataSource>();

    public async ValueTask InitializeAsync() => _service = await RunningService.StartAsync(["--Role=Api", .. await RunningService.PostgresSettingsAsync()]);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task A_blob_comes_back_whole_and_in_any_piece()
    {
        await using var staged = await Blobs.StageAsync(new Dribble(s_bytes), Length, Cancellation);
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(s_bytes)), Length), (staged.Sha256, staged.Bytes));
        Assert.Equal(s_bytes, await File.ReadAllBytesAsync(staged.Path, Cancellation));

        await using var stream = (await Blobs.OpenReadAsync(staged.BlobId, Cancellation))!;
        Assert.IsType<ChunkStream>(stream);
        Assert.Equal(Length, stream.Length);
        byte[] whole = new byte[Length];
        await stream.ReadExactlyAsync(whole, Cancellation);
        Assert.Equal(s_bytes, whole);
        Assert.Equal(0, await stream.ReadAsync(new byte[1], Cancellation));

        var random = new Random(1);
        for (int i = 0; i < 50; i++)
        {
            int start = random.Next(Length);
            byte[] piece = new byte[random.Next(Math.Min(3 << 20, Length - start))];
            stream.Position = start;
            await stream.ReadExactlyAsync(piece, Cancellation);
            Assert.True(piece.AsSpan().SequenceEqual(s_bytes.AsSpan(start, piece.Length)), $"{piece.Length} bytes from {start}");
        }
    }

    [Fact]
    public async Task Rows_are_a_mebibyte_and_stored_as_they_are()
    {
        await using var staged = await Blobs.StageAsync(new MemoryStream(s_bytes), Length, Cancellation);
        await using var scope = _service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        int[] lengths = await db.Chunks.OrderBy(row => row.Offset).Select(row => row.Data.Length).ToArrayAsync(Cancellation);
        Assert.Equal(Length, lengths.Sum());
        Assert.All(lengths[..^1], length => Assert.Equal(ArtifactChunk.Bytes, length));
        await using var command = Source.CreateCommand("SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'artifact_chunk'::regclass AND attname = 'data'");
        Assert.Equal("e", await command.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task Chunks_may_be_short_in_the_middle()
    {
        int[] ends = [1, 1000, (1 << 20) + 1000, (1 << 20) + 1001, 2_000_000, 3_000_000];
        await using (var scope = _service.Scope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
            int start = 0;
            foreach (int end in ends)
            {
                db.Add(new ArtifactChunk { BlobId = "blb_SHORT", Offset = start, Data = s_bytes[start..end] });
                start = end;
            }

            await db.SaveChangesAsync(Cancellation);
        }

        await using var stream = (await Blobs.OpenReadAsync("blb_SHORT", Cancellation))!;
        Assert.Equal(3_000_000, stream.Length);
        byte[] piece = new byte[2_000_000];
        stream.Seek(-2_999_500, SeekOrigin.End);
        await stream.ReadExactlyAsync(piece, Cancellation);
        Assert.Equal(s_bytes[500..2_000_500], piece);
        Assert.Null(await Blobs.OpenReadAsync("blb_NONE", Cancellation));
    }

    [Fact]
    public async Task An_empty_blob_is_a_blob()
    {
        await using var staged = await Blobs.StageAsync(Stream.Null, 1, Cancellation);
        await using var stream = (await Blobs.OpenReadAsync(staged.BlobId, Cancellation))!;
        Assert.Equal(0, stream.Length);
    }

    [Fact]
    public async Task What_is_not_kept_not_whole_or_too_long_leaves_nothing()
    {
        await (await Blobs.StageAsync(new MemoryStream(s_bytes), Length, Cancellation)).DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => Blobs.StageAsync(new Dribble(s_bytes, breaksAt: 20 << 20), Length, Cancellation));
        await Assert.ThrowsAsync<ProblemException>(() => Blobs.StageAsync(new MemoryStream(s_bytes), Length - 1, Cancellation));
        await using var scope = _service.Scope();
        Assert.False(await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Chunks.AnyAsync(Cancellation));
        Assert.Empty(_service.Files("staging"));
    }

    [Fact]
    public async Task A_blob_that_a_row_names_is_not_removed_whatever_this_process_believes()
    {
        // As after a commit whose answer was lost: the row is there, and the file does not know that it was kept.
        byte[] bytes = Bytes(1000);
        var staged = await Blobs.StageAsync(new MemoryStream(bytes), 1000, Cancellation);
        await using (var scope = _service.Scope())
        {
            var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
            db.Add(new Artifact { TenantId = "default", Sha256 = staged.Sha256, BlobId = staged.BlobId, Bytes = staged.Bytes, CreatedAt = default });
            await db.SaveChangesAsync(Cancellation);
        }

        await staged.DisposeAsync();
        Assert.Equal(1, await _service.CopiesAsync(bytes));
    }

    [Fact]
    public async Task A_fetched_blob_is_verified_and_a_damaged_one_is_not_handed_out()
    {
        byte[] bytes = Bytes(5000);
        await using var staged = await Blobs.StageAsync(new MemoryStream(bytes), 5000, Cancellation);
        using (var file = await Blobs.FetchAsync(staged.BlobId, Cancellation, staged.Sha256))
        {
            Assert.Equal(bytes, await File.ReadAllBytesAsync(file!.Path, Cancellation));
        }

        _service.Services.GetRequiredService<BlobCache>().Remove(staged.BlobId);
        await using (var damage = Source.CreateCommand("UPDATE artifact_chunk SET data = set_byte(data, 17, 255 - get_byte(data, 17))"))
        {
            await damage.ExecuteNonQueryAsync(Cancellation);
        }

        var found = await Assert.ThrowsAsync<InvalidDataException>(() => Blobs.FetchAsync(staged.BlobId, Cancellation, staged.Sha256));
        Assert.Contains(staged.Sha256, found.Message, StringComparison.Ordinal);
        Assert.Empty(_service.Files("cache"));
        Assert.Null(await Blobs.FetchAsync("blb_NONE", Cancellation));
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Gives odd numbers of bytes at a time, as a network does, and may break.</summary>
    private sealed class Dribble(byte[] bytes, int breaksAt = int.MaxValue) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position >= breaksAt ? throw new IOException("The client is gone.") : base.ReadAsync(buffer[..Math.Min(buffer.Length, 77_777)], cancellationToken);
    }
}
