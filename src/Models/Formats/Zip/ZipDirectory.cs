using System.Collections.Immutable;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Zip;

/// <summary>
/// The entries of a zip archive (PKWARE's APPNOTE 6.3.10) as one strict reader sees them. Whatever readers could disagree about is refused: an archive in
/// which the local headers say something else than the directory, in which a name stands twice, or which has bytes that belong to nothing, shows one content
/// to one tool and another to the next. No comment of an archive or an entry has a meaning here.
/// </summary>
internal sealed class ZipDirectory
{
    private const int ShownNameLength = 100;

    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, ZipEntry> _byName;

    private ZipDirectory(SafeFileHandle file, ImmutableArray<ZipEntry> entries, Dictionary<string, ZipEntry> byName)
    {
        _file = file;
        Entries = entries;
        _byName = byName;
    }

    /// <summary>The entries, in the order of the directory.</summary>
    public ImmutableArray<ZipEntry> Entries { get; }

    /// <summary>
    /// Reads the directory and every local header. O(entries·log entries); one read of the file for each entry. Memory: the entries.
    /// </summary>
    /// <param name="file">The open archive; closed by whoever opened it, after the last use of the entries.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ModelFormatException">
    /// <see cref="ModelFormatError.InvalidArchive"/>: the archive contradicts itself. <see cref="ModelFormatError.UnsupportedArchive"/>: it is encrypted, on
    /// several disks or compressed by a method other than deflate. <see cref="ModelFormatError.ArchiveBomb"/>, <see cref="ModelFormatError.LimitExceeded"/>:
    /// it passes the limits.
    /// </exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static ZipDirectory Read(SafeFileHandle file, ReadLimits limits)
    {
        var end = ZipEnd.Read(file);
        var headers = CentralDirectory.Read(file, end, limits);
        var byName = new Dictionary<string, ZipEntry>(headers.Length, StringComparer.Ordinal);
        var entries = new ZipEntry[headers.Length];
        int[] order = [.. Enumerable.Range(0, headers.Length).OrderBy(i => headers[i].LocalOffset)];
        long first = order.Length == 0 ? end.Offset : headers[order[0]].LocalOffset;
        if (order.Length > 0 && headers[order[^1]].LocalOffset >= end.Offset)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidArchive,
                $"The zip entry '{Shorten(headers[order[^1]].Name)}' is said to begin at byte {headers[order[^1]].LocalOffset}, behind the directory at byte {end.Offset}. Save the model anew with the tool that made it.",
                end.Offset);
        }

        if (first != 0)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidArchive,
                $"The zip archive's first entry begins at byte {first}, not at the file's beginning: bytes were put before it. Save the model anew with the tool that made it.",
                offset: 0);
        }

        var locals = new LocalHeaders(file);
        for (int i = 0; i < order.Length; i++)
        {
            var header = headers[order[i]];
            var entry = locals.Read(header, i + 1 < order.Length ? headers[order[i + 1]].LocalOffset : end.Offset);
            entries[order[i]] = byName.TryAdd(entry.Name, entry)
                ? entry
                : throw new ModelFormatException(
                    ModelFormatError.InvalidArchive,
                    $"The zip archive has two entries named '{Shorten(entry.Name)}', the second at byte {header.LocalOffset}. Save the model anew with the tool that made it.",
                    header.LocalOffset);
        }

        return new ZipDirectory(file, [.. entries], byName);
    }

    /// <summary>The entry of a name; null when there is none. O(1).</summary>
    /// <param name="name">The name, exactly as in the archive.</param>
    public ZipEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// An entry's unpacked bytes. Stored ones are read from where they lie; deflated ones are unpacked as they are read, so that reading forward costs
    /// O(bytes) and going back begins anew. The checksum is verified once the bytes have been read through.
    /// </summary>
    /// <param name="entry">An entry of this archive.</param>
    /// <returns>
    /// The bytes. Beside its own exceptions their reading throws <see cref="ModelFormatException"/> (<see cref="ModelFormatError.InvalidArchive"/>) when the
    /// data is no deflated stream of the entry's length, or has another checksum. Threads may read at the same time.
    /// </returns>
    public TensorData Open(ZipEntry entry) => entry.Method == ZipMethod.Stored ? new StoredEntryData(_file, entry) : new DeflatedEntryData(_file, entry);

    /// <summary>All of an entry's unpacked bytes, their checksum verified.</summary>
    /// <param name="entry">An entry of this archive.</param>
    /// <param name="limit">The most bytes that are taken.</param>
    /// <exception cref="ModelFormatException">The entry has more (<see cref="ModelFormatError.LimitExceeded"/>) or is broken.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public byte[] ReadAll(ZipEntry entry, long limit)
    {
        if (entry.Length > Math.Min(limit, Array.MaxLength))
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"The zip entry '{Shorten(entry.Name)}' has {entry.Length} bytes; at most {Math.Min(limit, Array.MaxLength)} are read.",
                entry.DataOffset);
        }

        byte[] bytes = new byte[entry.Length];
        Open(entry).Read(0, bytes);
        return bytes;
    }

    /// <summary>A name as messages show it.</summary>
    /// <param name="name">Any name.</param>
    internal static string Shorten(string name) => name.Length <= ShownNameLength ? name : string.Concat(name.AsSpan(0, ShownNameLength), "…");

    /// <summary>Refuses an entry's data.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="what">What is wrong with it.</param>
    internal static ModelFormatException Refuse(ZipEntry entry, string what) => new(
        ModelFormatError.InvalidArchive,
        $"The data of the zip entry '{Shorten(entry.Name)}' {what} (byte {entry.DataOffset}). The file is damaged: take another copy, or save the model anew.",
        entry.DataOffset);
}
