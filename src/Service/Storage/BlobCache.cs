using Microsoft.Extensions.Options;

namespace Condense.Service.Storage;

/// <summary>
/// Blobs of the database as files on this machine: what was used last stays, up to a number of bytes. A file is there whole or not at all, is fetched
/// once however many ask, and is not removed while someone uses it. It begins empty with every process: nothing in it is worth trusting after a crash.
/// </summary>
internal sealed class BlobCache(DataFolder folder, IOptions<StorageOptions> options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private long _bytes;
    private long _uses;

    /// <summary>Bytes of all files.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>The file of a blob, if it is here.</summary>
    public LocalFile? Find(string blobId)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(blobId, out var entry) && entry.Filling is { IsCompletedSuccessfully: true, Result: true } ? Use(entry) : null;
        }
    }

    /// <summary>The file of a blob, fetched if it is not here.</summary>
    /// <param name="blobId">The blob.</param>
    /// <param name="fetch">Writes the blob to a path; false when there is no such blob. Called once for all who ask at the same time.</param>
    /// <param name="cancellationToken">Gives up waiting; the file is still fetched for the others.</param>
    /// <returns>Null when there is no such blob.</returns>
    public async Task<LocalFile?> GetAsync(string blobId, Func<string, Task<bool>> fetch, CancellationToken cancellationToken)
    {
        Entry entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(blobId, out entry!))
            {
                entry = new Entry(blobId, Path.Combine(folder.Cache, blobId));
                _entries.Add(blobId, entry);
                entry.Filling = Task.Run(() => FillAsync(entry, fetch), CancellationToken.None);
            }

            entry.Users++;
        }

        try
        {
            bool found = await entry.Filling!.WaitAsync(cancellationToken);
            lock (_lock)
            {
                return found ? Use(entry) : null;
            }
        }
        finally
        {
            Release(entry);
        }
    }

    /// <summary>Takes a file that holds the whole of a blob; it is moved.</summary>
    public void Add(string blobId, string path)
    {
        lock (_lock)
        {
            if (_entries.ContainsKey(blobId))
            {
                File.Delete(path);
                return;
            }

            var entry = new Entry(blobId, Path.Combine(folder.Cache, blobId)) { Filling = Task.FromResult(true), LastUse = ++_uses };
            File.Move(path, entry.Path);
            entry.Bytes = new FileInfo(entry.Path).Length;
            _bytes += entry.Bytes;
            _entries.Add(blobId, entry);
            Evict();
        }
    }

    /// <summary>Forgets a blob that is no more. Who uses the file goes on; it is removed with the last of them.</summary>
    public void Remove(string blobId)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(blobId, out var entry))
            {
                Drop(entry);
            }
        }
    }

    private async Task<bool> FillAsync(Entry entry, Func<string, Task<bool>> fetch)
    {
        string beside = Path.Combine(folder.Staging, $"{entry.BlobId}.fetched");
        try
        {
            bool found = await fetch(beside);
            lock (_lock)
            {
                if (!found || entry.IsDropped)
                {
                    Forget(entry);
                    File.Delete(beside);
                    return false;
                }

                File.Move(beside, entry.Path, overwrite: true);
                entry.Bytes = new FileInfo(entry.Path).Length;
                _bytes += entry.Bytes;
                entry.LastUse = ++_uses;
                Evict();
                return true;
            }
        }
        catch
        {
            // Whoever asks next begins anew.
            lock (_lock)
            {
                Forget(entry);
            }

            File.Delete(beside);
            throw;
        }
    }

    private LocalFile Use(Entry entry)
    {
        entry.Users++;
        entry.LastUse = ++_uses;
        return new LocalFile(entry.Path, () => Release(entry));
    }

    private void Release(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            if (entry is { Users: 0, IsDropped: true })
            {
                File.Delete(entry.Path);
            }

            Evict();
        }
    }

    /// <summary>Makes room: what was not used for the longest time goes first, what is in use stays.</summary>
    private void Evict()
    {
        while (_bytes > options.Value.CacheBytes && _entries.Values.Where(entry => entry is { Users: 0, Bytes: > 0 }).MinBy(entry => entry.LastUse) is { } oldest)
        {
            Drop(oldest);
        }
    }

    private void Drop(Entry entry)
    {
        Forget(entry);
        entry.IsDropped = true;
        _bytes -= entry.Bytes;
        if (entry.Users == 0)
        {
            File.Delete(entry.Path);
        }
    }

    private void Forget(Entry entry)
    {
        if (_entries.TryGetValue(entry.BlobId, out var current) && ReferenceEquals(current, entry))
        {
            _entries.Remove(entry.BlobId);
        }
    }

    /// <summary>A blob that is here, or on its way.</summary>
    private sealed class Entry(string blobId, string path)
    {
        public string BlobId => blobId;

        public string Path => path;

        /// <summary>Whether the blob was found, once it is here.</summary>
        public Task<bool>? Filling { get; set; }

        public long Bytes { get; set; }

        public int Users { get; set; }

        public long LastUse { get; set; }

        public bool IsDropped { get; set; }
    }
}
