using System.Text;
using Condense.Models.Formats.Zip;
using Condense.Models.Tests.Formats.Zip;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>Zip archives with broken directories, headers, sizes and data.</summary>
internal sealed class ZipFuzz : FuzzFormat
{
    private const long MostBytes = 1 << 20;

    // Fields of the records that archives are made of: the signature, and where in the record a field begins and how many bytes it has.
    private static readonly (byte[] Signature, (int At, int Size)[] Fields)[] s_records =
    [
        ([.. "PK\x03\x04"u8], [(4, 2), (6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 2)]),
        ([.. "PK\x01\x02"u8], [(8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (42, 4), (46, 2)]),
        ([.. "PK\x05\x06"u8], [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]),
        ([.. "PK\x06\x06"u8], [(4, 8), (16, 4), (20, 4), (24, 8), (32, 8), (40, 8), (48, 8)]),
        ([.. "PK\x06\x07"u8], [(4, 4), (8, 8), (16, 4)]),
        ([.. "PK\x07\x08"u8], [(4, 4), (8, 4), (12, 4)]),
    ];

    private readonly byte[][] _seeds = [.. Seeds()];

    public override string Name => "zip";

    public override byte[] Make(Random random) => Mutate(_seeds, random);

    public override void Read(string path)
    {
        using var file = File.OpenHandle(path);
        var archive = ZipDirectory.Read(file, ReadLimits.Default);
        foreach (var entry in archive.Entries)
        {
            archive.ReadAll(entry, MostBytes);
        }
    }

    /// <summary>An archive with one to three mutations.</summary>
    internal static byte[] Mutate(byte[][] seeds, Random random)
    {
        byte[] bytes = seeds[random.Next(seeds.Length)];
        for (int step = random.Next(1, 4); step > 0; step--)
        {
            bytes = random.Next(4) switch
            {
                0 => ByteMutations.Any(bytes, seeds[random.Next(seeds.Length)], random),
                1 => EditBothHeaders(bytes, random),
                _ => EditField(bytes, random),
            };
        }

        return bytes;
    }

    private static IEnumerable<byte[]> Seeds()
    {
        var text = new ZipItem("folder/text", Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("some text, ", 20))));
        var numbers = new ZipItem("numbers", [.. Enumerable.Range(0, 200).Select(value => (byte)value)]);
        yield return ZipBytes.Of(text, numbers);
        yield return ZipBytes.Of(text with { Method = 8 }, numbers with { Method = 8, Flags = 2 }, new ZipItem("folder/", []));
        yield return ZipBytes.Of(Streamed(numbers, wide: false), Streamed(text with { Method = 8 }, wide: true));
        yield return new ZipBytes { Zip64 = true, Comment = "of the archive"u8.ToArray() }.Make(text with { Comment = "of the entry"u8.ToArray() }, numbers);
        yield return new ZipBytes { Zip64 = true, ShortFieldsSayMarker = true }.Make(Wide(numbers), text);
    }

    private static ZipItem Streamed(ZipItem item, bool wide) =>
        item with { Flags = 8, LocalCrc = 0, LocalLength = 0, LocalCompressedLength = 0, Behind = ZipBytes.Descriptor(item, signature: true, wide) };

    private static ZipItem Wide(ZipItem item)
    {
        byte[] field = ZipBytes.Field(1, ZipBytes.Longs(item.Data.Length, item.Data.Length));
        return item with { Length = uint.MaxValue, CompressedLength = uint.MaxValue, Extra = field, LocalExtra = field };
    }

    private static byte[] EditField(byte[] bytes, Random random)
    {
        var (signature, fields) = s_records[random.Next(s_records.Length)];
        var places = Places(bytes, signature);
        if (places.Count == 0)
        {
            return bytes;
        }

        var (at, size) = fields[random.Next(fields.Length)];
        return ByteMutations.SetNumber(bytes, places[random.Next(places.Count)] + at, size, random);
    }

    // The same lie in both headers of an entry: it passes the comparison and reaches what is behind.
    private static byte[] EditBothHeaders(byte[] bytes, Random random)
    {
        var locals = Places(bytes, s_records[0].Signature);
        var centrals = Places(bytes, s_records[1].Signature);
        int entry = random.Next(Math.Max(1, Math.Min(locals.Count, centrals.Count)));
        if (entry >= locals.Count || entry >= centrals.Count)
        {
            return bytes;
        }

        // From the flags to the length of the extra fields, the one is two bytes behind the other.
        int field = random.Next(7);
        var (at, size) = s_records[0].Fields[field + 1];
        byte[] result = ByteMutations.SetNumber(bytes, locals[entry] + at, size, random);
        if (centrals[entry] + at + 2 + size <= result.Length && locals[entry] + at + size <= result.Length)
        {
            result.AsSpan(locals[entry] + at, size).CopyTo(result.AsSpan(centrals[entry] + at + 2));
        }

        return result;
    }

    private static List<int> Places(byte[] bytes, byte[] signature)
    {
        var places = new List<int>();
        for (int from = 0, found; (found = bytes.AsSpan(from).IndexOf(signature)) >= 0; from += found + signature.Length)
        {
            places.Add(from + found);
        }

        return places;
    }
}
