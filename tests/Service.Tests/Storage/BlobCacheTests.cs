using Condense.Service.Storage;
using Microsoft.Extensions.Options;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class BlobCacheTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("condense-cache-").FullName;
    private readonly DataFolder _folder;
    private readonly BlobCache _cache;

    public BlobCacheTests()
    {
        var options = Options.Create(new StorageOptions { Folder = _root, CacheBytes = 300 });
        _folder = new DataFolder(options);
        _folder.Open();
        _cache = new BlobCache(_folder, options);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Many_who_ask_at_once_cause_one_fetch()
    {
        int fetches = 0;
        var go = new TaskCompletionSource();
        var asking = Enumerable.Range(0, 20).Select(_ => _cache.GetAsync("blb_1", Fetch, Cancellation)).ToArray();
        go.SetResult();
        foreach (var file in await Task.WhenAll(asking))
        {
            Assert.Equal(100, new FileInfo(file!.Path).Length);
            file.Dispose();
        }

        Assert.Equal(1, fetches);

        async Task<bool> Fetch(string path)
        {
            Interlocked.Increment(ref fetches);
            await go.Task;
            await File.WriteAllBytesAsync(path, new byte[100]);
            return true;
        }
    }

    [Fact]
    public async Task What_was_used_longest_ago_goes_first_and_what_is_in_use_stays()
    {
        using var held = await GetAsync("blb_1");
        (await GetAsync("blb_2"))!.Dispose();
        (await GetAsync("blb_3"))!.Dispose();
        _cache.Find("blb_2")!.Dispose();
        (await GetAsync("blb_4"))!.Dispose();
        Assert.Equal(["blb_1", "blb_2", "blb_4"], Cached());

        using (var second = _cache.Find("blb_2"))
        using (var fourth = _cache.Find("blb_4"))
        using (var fifth = await GetAsync("blb_5"))
        {
            // All of them are in use: the bound has to wait.
            Assert.Equal(400, _cache.Bytes);
            Assert.True(File.Exists(held!.Path) && File.Exists(second!.Path) && File.Exists(fourth!.Path) && File.Exists(fifth!.Path));
        }

        Assert.Equal(300, _cache.Bytes);
        Assert.Contains("blb_1", Cached());
    }

    [Fact]
    public async Task A_fetch_that_fails_leaves_nothing_and_the_next_one_begins_anew()
    {
        await Assert.ThrowsAsync<IOException>(() => _cache.GetAsync(
            "blb_1",
            async path =>
            {
                await File.WriteAllBytesAsync(path, new byte[50]);
                throw new IOException("cut");
            },
            Cancellation));
        Assert.Empty(Cached());
        Assert.Empty(Directory.GetFiles(_folder.Staging));
        Assert.Null(_cache.Find("blb_1"));
        using var file = await GetAsync("blb_1");
        Assert.Equal(100, new FileInfo(file!.Path).Length);
        Assert.Null(await _cache.GetAsync("blb_NONE", _ => Task.FromResult(false), Cancellation));
    }

    [Fact]
    public async Task A_removed_blob_stays_until_its_last_user_has_gone()
    {
        var file = await GetAsync("blb_1");
        _cache.Remove("blb_1");
        Assert.Null(_cache.Find("blb_1"));
        Assert.True(File.Exists(file!.Path));
        file.Dispose();
        Assert.Empty(Cached());
        Assert.Equal(0, _cache.Bytes);
    }

    private Task<LocalFile?> GetAsync(string blobId) => _cache.GetAsync(
        blobId,
        async path =>
        {
            await File.WriteAllBytesAsync(path, new byte[100]);
            return true;
        },
        Cancellation);

    private IEnumerable<string?> Cached() => Directory.GetFiles(_folder.Cache).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
