using System.IO.Compression;
using System.Text;
using Condense.Models.Formats.Zip;
using Condense.Models.Tests.Formats.Safetensors;
using Xunit;

namespace Condense.Models.Tests.Formats.Zip;

public sealed class ZipDirectoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // Archives that are consistent: what they are and their bytes.
    public static TheoryData<string, byte[]> Honest { get; } = new()
    {
        { "stored", ZipBytes.Of(A, B) },
        { "deflated", ZipBytes.Of(A with { Method = 8 }, B with { Method = 8, Flags = 0x6 }) },
        { "stored where deflating did not pay", ZipBytes.Of(A with { Flags = 0x2 }) },
        { "comments", new ZipBytes { Comment = "an archive"u8.ToArray() }.Make(A with { Comment = "an entry"u8.ToArray() }) },
        { "zip64 end", new ZipBytes { Zip64 = true }.Make(A, B) },
        { "zip64 end with markers in the short one", new ZipBytes { Zip64 = true, ShortFieldsSayMarker = true }.Make(A, B) },
        { "zip64 sizes, markers in both headers", ZipBytes.Of(Wide) },
        { "zip64 field beside true sizes, as NumPy writes it", ZipBytes.Of(A with { LocalExtra = ZipBytes.Field(1, ZipBytes.Longs(A.Data.Length, A.Data.Length)) }, B) },
        { "short descriptor", ZipBytes.Of(Streamed(signature: true, wide: false), B) },
        { "short descriptor without signature", ZipBytes.Of(Streamed(signature: false, wide: false), B) },
        { "long descriptor", ZipBytes.Of(Streamed(signature: true, wide: true), B) },
        { "long descriptor without signature", ZipBytes.Of(Streamed(signature: false, wide: true)) },
        { "streamed with the place of the header in zip64, as PyTorch writes it", ZipBytes.Of(Streamed(true, true) with { LocalExtra = ZipBytes.Field(1, ZipBytes.Longs(0)) }, B) },
        { "padding of zero bytes", ZipBytes.Of(A with { LocalExtra = [0, 0, 0] }) },
        { "unknown extra field", ZipBytes.Of(A with { LocalExtra = ZipBytes.Field(0x4246, new byte[40]) }) },
        { "Unicode path that repeats the name", ZipBytes.Of(A with { Extra = ZipBytes.Field(0x7075, [1, 0, 0, 0, 0, .. "a.npy"u8]) }) },
        { "UTF-8 name", ZipBytes.Of(A with { Name = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("größe")), Flags = 0x800 }) },
        { "folder", ZipBytes.Of(new ZipItem("folder/", []), A with { Name = "folder/a" }) },
        { "name with dots and a colon", ZipBytes.Of(A with { Name = "dense/kernel:0..npy" }) },
        { "directory in another order than the entries", Reordered() },
        { "nothing", ZipBytes.Of() },
        { "empty entries", ZipBytes.Of(new ZipItem("e", []), new ZipItem("f", []) { Method = 8 }) },
    };

    // Archives that readers would not read alike: the trick, its bytes, the code, and a word of the message.
    public static TheoryData<string, byte[], ModelFormatError, string> Hostile { get; } = new()
    {
        { "flag bit 0x1, encrypted", ZipBytes.Of(A with { Flags = 0x1 }), ModelFormatError.UnsupportedArchive, "encrypted" },
        { "flag bit 0x20, patch", ZipBytes.Of(A with { Flags = 0x20 }), ModelFormatError.UnsupportedArchive, "patch" },
        { "flag bit 0x40, strong encryption", ZipBytes.Of(A with { Flags = 0x40 }), ModelFormatError.UnsupportedArchive, "encrypted" },
        { "flag bit 0x2000, masked headers", ZipBytes.Of(A with { Flags = 0x2000 }), ModelFormatError.UnsupportedArchive, "encrypted" },
        { "reserved flag", ZipBytes.Of(A with { Flags = 0x80 }), ModelFormatError.InvalidArchive, "0x80" },
        { "encrypted in the local header alone", ZipBytes.Of(A with { LocalFlags = 0x1 }), ModelFormatError.InvalidArchive, "set of flags" },
        { "method of the local header", ZipBytes.Of(A with { LocalMethod = 8 }), ModelFormatError.InvalidArchive, "method" },
        { "unread method", ZipBytes.Of(A with { Method = 14 }), ModelFormatError.UnsupportedArchive, "method 14" },
        { "time of the local header", ZipBytes.Of(A with { LocalTime = 0x0022_0000 }), ModelFormatError.InvalidArchive, "time" },
        { "name of the local header", ZipBytes.Of(A with { LocalName = "b.npy" }), ModelFormatError.InvalidArchive, "name" },
        { "longer name of the local header", ZipBytes.Of(A with { LocalName = "a.npy1" }), ModelFormatError.InvalidArchive, "name" },
        { "checksum of the local header", ZipBytes.Of(A with { LocalCrc = 1 }), ModelFormatError.InvalidArchive, "checksum" },
        { "no checksum in the local header", ZipBytes.Of(A with { LocalCrc = 0 }), ModelFormatError.InvalidArchive, "checksum" },
        { "size of the local header", ZipBytes.Of(A with { LocalLength = 3 }), ModelFormatError.InvalidArchive, "size" },
        { "packed size of the local header", ZipBytes.Of(A with { LocalCompressedLength = 3 }), ModelFormatError.InvalidArchive, "size" },
        { "stored with two sizes", ZipBytes.Of(A with { Length = 90 }), ModelFormatError.InvalidArchive, "stored" },
        { "same name twice", ZipBytes.Of(A, A), ModelFormatError.InvalidArchive, "two entries" },
        { "two directory entries for one local header", Overlap(), ModelFormatError.InvalidArchive, "begins within" },
        { "quoted local header, as in overlap bombs", Quoted(), ModelFormatError.InvalidArchive, "run into" },
        { "bytes in front", new ZipBytes { Prefix = "MZ"u8.ToArray() }.Make(A), ModelFormatError.InvalidArchive, "first entry" },
        { "bytes in front that offsets do not count", [.. "MZ"u8, .. ZipBytes.Of(A)], ModelFormatError.InvalidArchive, "put before" },
        { "bytes between entries", ZipBytes.Of(A with { Behind = [1] }, B), ModelFormatError.InvalidArchive, "no entry" },
        { "bytes before the directory", new ZipBytes { BeforeDirectory = [1] }.Make(A), ModelFormatError.InvalidArchive, "no entry" },
        { "bytes before the end", new ZipBytes { BeforeEnd = [1] }.Make(A), ModelFormatError.InvalidArchive, "put before" },
        { "bytes behind the end", new ZipBytes { Suffix = [1] }.Make(A), ModelFormatError.InvalidArchive, "follow its end" },
        { "comment longer than it is", new ZipBytes { CommentLength = 5 }.Make(A), ModelFormatError.InvalidArchive, "follow its end" },
        { "second archive in the comment", new ZipBytes { Comment = ZipBytes.Of(B) }.Make(A), ModelFormatError.InvalidArchive, "two ends" },
        { "directory elsewhere", new ZipBytes { DirectoryOffset = 7 }.Make(A), ModelFormatError.InvalidArchive, "directory" },
        { "more entries than there are", new ZipBytes { Count = 3 }.Make(A, B), ModelFormatError.InvalidArchive, "counts 3" },
        { "fewer entries than there are", new ZipBytes { Count = 1 }.Make(A, B), ModelFormatError.InvalidArchive, "follow the 1" },
        { "far more entries than fit", new ZipBytes { Count = 60_000 }.Make(A, B), ModelFormatError.InvalidArchive, "60000" },
        { "second disk", new ZipBytes { Disk = 1 }.Make(A), ModelFormatError.UnsupportedArchive, "disks" },
        { "entry on a second disk", ZipBytes.Of(A with { Disk = 1 }), ModelFormatError.UnsupportedArchive, "disk 1" },
        { "local header behind the directory", ZipBytes.Of(A, B with { Offset = 4_000 }), ModelFormatError.InvalidArchive, "behind the directory" },
        { "every local header behind the directory", ZipBytes.Of(A with { Offset = 1 << 30 }), ModelFormatError.InvalidArchive, "behind the directory" },
        { "local header within another entry", ZipBytes.Of(A, B with { Offset = 40 }), ModelFormatError.InvalidArchive, "run into" },
        { "zip64 end that contradicts the end", new ZipBytes { Zip64 = true, ChangeZip64 = end => (end[24], end[32]) = (9, 9) }.Make(A), ModelFormatError.InvalidArchive, "contradict" },
        { "zip64 end with another directory", new ZipBytes { Zip64 = true, ChangeZip64 = end => end[48] ^= 1 }.Make(A), ModelFormatError.InvalidArchive, "contradict" },
        { "zip64 end elsewhere", new ZipBytes { Zip64 = true, ChangeZip64 = end => end[64] = 0 }.Make(A), ModelFormatError.InvalidArchive, "locator" },
        { "zip64 end on a second disk", new ZipBytes { Zip64 = true, ChangeZip64 = end => end[60] = 1 }.Make(A), ModelFormatError.UnsupportedArchive, "disks" },
        { "zip64 end of two disks", new ZipBytes { Zip64 = true, ChangeZip64 = end => end[72] = 2 }.Make(A), ModelFormatError.UnsupportedArchive, "disks" },
        { "zip64 end with room to hide", new ZipBytes { Zip64 = true, ChangeZip64 = end => end[4] = 45 }.Make(A), ModelFormatError.InvalidArchive, "length" },
        { "markers without a zip64 end", new ZipBytes { ShortFieldsSayMarker = true }.Make(A), ModelFormatError.InvalidArchive, "not there" },
        { "zip64 sizes that lie", ZipBytes.Of(Wide with { LocalExtra = ZipBytes.Field(1, ZipBytes.Longs(4, A.Data.Length)) }), ModelFormatError.InvalidArchive, "size" },
        { "zip64 field without what is asked of it", ZipBytes.Of(Wide with { Extra = ZipBytes.Field(1, ZipBytes.Longs(A.Data.Length)) }), ModelFormatError.InvalidArchive, "zip64" },
        { "zip64 field with more than is asked of it", ZipBytes.Of(Wide with { Extra = ZipBytes.Field(1, ZipBytes.Longs(A.Data.Length, A.Data.Length, 0)) }), ModelFormatError.InvalidArchive, "zip64" },
        { "zip64 field that replaces nothing and lies", ZipBytes.Of(A with { Extra = ZipBytes.Field(1, ZipBytes.Longs(7)) }), ModelFormatError.InvalidArchive, "zip64" },
        { "zip64 size beyond 2⁶³", ZipBytes.Of(Wide with { Extra = ZipBytes.Field(1, ZipBytes.Longs(-1, -1)) }), ModelFormatError.InvalidArchive, "zip64" },
        { "zip64 field twice", ZipBytes.Of(Wide with { Extra = [.. Wide.Extra, .. Wide.Extra] }), ModelFormatError.InvalidArchive, "twice" },
        { "Unicode path with another name", ZipBytes.Of(A with { LocalExtra = ZipBytes.Field(0x7075, [1, 0, 0, 0, 0, .. "b.npy"u8]) }), ModelFormatError.InvalidArchive, "second name" },
        { "extra field past its end", ZipBytes.Of(A with { Extra = [1, 0, 9, 0, 1] }), ModelFormatError.InvalidArchive, "extra fields" },
        { "extra field cut", ZipBytes.Of(A with { Extra = [0xFF, 0xFF] }), ModelFormatError.InvalidArchive, "extra fields" },
        { "descriptor with another checksum", ZipBytes.Of(Streamed(true, false) with { Behind = ZipBytes.Descriptor(B) }), ModelFormatError.InvalidArchive, "descriptor" },
        { "descriptor without signature where one fits", ZipBytes.Of(Streamed(true, false) with { Behind = new byte[16] }), ModelFormatError.InvalidArchive, "descriptor" },
        { "no descriptor", ZipBytes.Of(Streamed(true, false) with { Behind = [] }), ModelFormatError.InvalidArchive, "descriptor" },
        { "bytes behind the descriptor", ZipBytes.Of(Streamed(true, false) with { Behind = [.. Streamed(true, false).Behind, 0] }), ModelFormatError.InvalidArchive, "descriptor" },
        { "upwards", ZipBytes.Of(A with { Name = "../a" }), ModelFormatError.InvalidArchive, "'..'" },
        { "upwards within", ZipBytes.Of(A with { Name = "a/../../b" }), ModelFormatError.InvalidArchive, "'..'" },
        { "absolute", ZipBytes.Of(A with { Name = "/etc/passwd" }), ModelFormatError.InvalidArchive, "absolute" },
        { "backslash", ZipBytes.Of(A with { Name = "a\\b" }), ModelFormatError.InvalidArchive, "backslash" },
        { "NUL in a name", ZipBytes.Of(A with { Name = "a.npy\0.pkl" }), ModelFormatError.InvalidArchive, "NUL" },
        { "empty name", ZipBytes.Of(A with { Name = "" }), ModelFormatError.InvalidArchive, "empty" },
        { "name that is not UTF-8", ZipBytes.Of(A with { Name = "gr\u00F6\u00DFe", Flags = 0x800 }), ModelFormatError.InvalidArchive, "UTF-8" },
        { "name beyond ASCII without the flag", ZipBytes.Of(A with { Name = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("ö")) }), ModelFormatError.InvalidArchive, "UTF-8" },
        { "folder with data", ZipBytes.Of(A with { Name = "a/" }), ModelFormatError.InvalidArchive, "folder" },
        { "no end", ZipBytes.Of(A)[..^22], ModelFormatError.InvalidArchive, "end is missing" },
        { "lying size, beyond what deflate can do", ZipBytes.Of(A with { Method = 8, Length = 1 << 30 }), ModelFormatError.ArchiveBomb, "1032" },
    };

    private static ZipItem A => new("a.npy", [.. Enumerable.Range(0, 100).Select(value => (byte)value)]);

    private static ZipItem B => new("b", "some text, some text, some text"u8.ToArray());

    private static ZipItem Wide => A with
    {
        Length = uint.MaxValue,
        CompressedLength = uint.MaxValue,
        Extra = ZipBytes.Field(1, ZipBytes.Longs(A.Data.Length, A.Data.Length)),
        LocalExtra = ZipBytes.Field(1, ZipBytes.Longs(A.Data.Length, A.Data.Length)),
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Honest))]
    public void A_consistent_archive_is_read(string what, byte[] bytes)
    {
        var entries = Read(bytes);
        using var oracle = new ZipArchive(new MemoryStream(bytes));
        Assert.True(oracle.Entries.Count == entries.Count, what);
        foreach (var (expected, (entry, data)) in oracle.Entries.Zip(entries))
        {
            using var stream = expected.Open();
            using var all = new MemoryStream();
            stream.CopyTo(all);
            Assert.Equal((expected.FullName, expected.Length, expected.CompressedLength, expected.Crc32), (entry.Name, entry.Length, entry.CompressedLength, entry.Crc32));
            Assert.Equal(all.ToArray(), data);
        }
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void An_archive_that_readers_could_disagree_about_is_refused(string what, byte[] bytes, ModelFormatError code, string word)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(bytes));
        Assert.Equal((what, code), (what, refusal.Code));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        Assert.InRange(refusal.Offset ?? -1, 0, bytes.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void A_wrong_checksum_is_found_when_the_data_has_been_read(int method)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(ZipBytes.Of(B, A with { Method = method, Crc = 0xDEADBEEF })));
        Assert.Equal(ModelFormatError.InvalidArchive, refusal.Code);
        Assert.Contains("checksum", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("a.npy", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("too short", 101u, "unpacks to 100")]
    [InlineData("too long", 99u, "more than the 99")]
    public void Data_of_another_length_than_the_headers_say_is_refused(string what, uint length, string word)
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(ZipBytes.Of(A with { Method = 8, Length = length, Crc = ZipItem.Sum(A.Data.AsSpan(0, Math.Min(100, (int)length))) })));
        Assert.True(refusal.Message.Contains(word, StringComparison.Ordinal), $"{what}: {refusal.Message}");
    }

    [Fact]
    public void Data_that_is_no_deflated_stream_is_refused()
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Read(ZipBytes.Of(A with { Method = 8, Packed = [0xFF, 0xFF, 0xFF, 0xFF] })));
        Assert.Equal(ModelFormatError.InvalidArchive, refusal.Code);
    }

    [Fact]
    public void Entries_are_counted_before_anything_is_allocated_for_them()
    {
        ZipItem[] items = [.. Enumerable.Range(0, 101).Select(i => new ZipItem($"e{i}", []))];
        var refusal = Assert.Throws<ModelFormatException>(() => Read(ZipBytes.Of(items), ReadLimits.Default with { Items = 100 }));
        Assert.Equal(ModelFormatError.LimitExceeded, refusal.Code);
        Assert.Equal(101, Read(ZipBytes.Of(items), ReadLimits.Default with { Items = 101 }).Count);
    }

    [Fact]
    public void Caps_on_an_entry_on_all_and_on_the_ratio_stop_a_bomb()
    {
        // Deflate's own best: zeros, about a thousand times smaller.
        var zeros = new ZipItem("zeros", new byte[1 << 20]) { Method = 8 };
        byte[] bytes = ZipBytes.Of(zeros, zeros with { Name = "more" });
        Assert.Equal(2, Read(bytes).Count);
        Assert.All(
            [
                ReadLimits.Default with { UnpackedEntryBytes = (1 << 20) - 1 },
                ReadLimits.Default with { UnpackedBytes = (2 << 20) - 1 },
                ReadLimits.Default with { UnpackedRatio = 100 },
            ],
            limits => Assert.Equal(ModelFormatError.ArchiveBomb, Assert.Throws<ModelFormatException>(() => Read(bytes, limits)).Code));
    }

    [Fact]
    public void A_streamed_archive_of_another_writer_is_read()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(new ForwardStream(bytes), ZipArchiveMode.Create))
        {
            foreach (string name in (string[])["one", "two"])
            {
                using var stream = archive.CreateEntry(name).Open();
                stream.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(name, 100))));
            }
        }

        var entries = Read(bytes.ToArray());
        Assert.Equal(["one", "two"], entries.Select(entry => entry.Entry.Name));
        Assert.All(entries, entry => Assert.Equal(string.Concat(Enumerable.Repeat(entry.Entry.Name, 100)), Encoding.UTF8.GetString(entry.Data)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void Any_part_can_be_read_in_any_order_and_the_checksum_is_still_verified(int method)
    {
        byte[] data = new byte[200_000];
        new Random(5).NextBytes(data.AsSpan(0, 100_000));
        string path = _folder.Write("z", ZipBytes.Of(new ZipItem("x", data) { Method = method, Crc = 1 }));
        using var file = File.OpenHandle(path);
        var archive = ZipDirectory.Read(file, ReadLimits.Default);
        var opened = archive.Open(archive.Find("x")!);
        byte[] part = new byte[1_000];
        foreach (int offset in (int[])[5_000, 5_500, 0, 198_000, 100_000, 99_999])
        {
            opened.Read(offset, part);
            Assert.Equal(data[offset..(offset + 1_000)], part);
        }

        opened.Read(0, new byte[199_999]);
        Assert.Throws<ModelFormatException>(() => opened.Read(199_000, part));
    }

    [Fact]
    public void A_name_is_found_and_another_is_not()
    {
        string path = _folder.Write("z", ZipBytes.Of(A, B));
        using var file = File.OpenHandle(path);
        var archive = ZipDirectory.Read(file, ReadLimits.Default);
        Assert.Same(archive.Entries[1], archive.Find("b"));
        Assert.Null(archive.Find("B"));
        Assert.Equal(ModelFormatError.LimitExceeded, Assert.Throws<ModelFormatException>(() => archive.ReadAll(archive.Entries[0], 99)).Code);
    }

    [Theory]
    [InlineData("", 0u)]
    [InlineData("123456789", 0xCBF43926u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x414FA339u)]
    public void The_checksum_is_the_published_one(string text, uint crc) => Assert.Equal(crc, Crc32.Append(0, Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void The_checksum_of_any_length_in_any_pieces_is_that_of_the_definition()
    {
        byte[] bytes = new byte[300];
        new Random(3).NextBytes(bytes);
        for (int length = 0; length <= bytes.Length; length++)
        {
            int cut = length * 7 % (length + 1);
            uint pieces = Crc32.Append(Crc32.Append(0, bytes.AsSpan(0, cut)), bytes.AsSpan(cut, length - cut));
            Assert.Equal(ZipItem.Sum(bytes.AsSpan(0, length)), pieces);
        }
    }

    private static ZipItem Streamed(bool signature, bool wide) => A with
    {
        Flags = 0x8,
        LocalCrc = 0,
        LocalLength = 0,
        LocalCompressedLength = 0,
        Behind = ZipBytes.Descriptor(A, signature, wide),
    };

    // Two names for the same bytes.
    private static byte[] Overlap() => ZipBytes.Of(A, new ZipItem("c", A.Data) { Offset = 0 });

    // Fifield's construction ("A better zip bomb", 2019): the first entry's data goes on over the second one's local header and data.
    private static byte[] Quoted()
    {
        byte[] second = ZipBytes.Of(B)[..(30 + B.Name.Length + B.Data.Length)];
        byte[] all = [.. A.Data, .. second];
        return ZipBytes.Of(A with { Crc = ZipItem.Sum(all), Length = (uint)all.Length, CompressedLength = (uint)all.Length }, B);
    }

    private static byte[] Reordered()
    {
        uint first = 0;
        uint second = (uint)(30 + A.Name.Length + A.Data.Length);
        byte[] forward = ZipBytes.Of(A, B);
        byte[] locals = forward[..(int)(second + 30 + B.Name.Length + B.Data.Length)];
        return [.. locals, .. ZipBytes.Of(B with { Offset = second }, A with { Offset = first })[locals.Length..]];
    }

    private List<(ZipEntry Entry, byte[] Data)> Read(byte[] bytes, ReadLimits? limits = null)
    {
        using var file = File.OpenHandle(_folder.Write("archive.zip", bytes));
        var archive = ZipDirectory.Read(file, limits ?? ReadLimits.Default);
        return [.. archive.Entries.Select(entry => (entry, archive.ReadAll(entry, 1 << 24)))];
    }
}
