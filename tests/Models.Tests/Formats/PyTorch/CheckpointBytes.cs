using System.Buffers.Binary;
using Condense.Models.Tests.Formats.Zip;

namespace Condense.Models.Tests.Formats.PyTorch;

/// <summary>Makes checkpoints of both containers from pickles and storages.</summary>
internal static class CheckpointBytes
{
    // PROTO 2, LONG1 of ten bytes, STOP; then the protocol, 1001; then the writer's machine, an empty dictionary.
    private static readonly byte[] s_legacyStart =
    [
        0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.',
        0x80, 2, (byte)'M', 0xE9, 0x03, (byte)'.',
        0x80, 2, (byte)'}', (byte)'.',
    ];

    /// <summary>A zip archive of stored entries.</summary>
    public static byte[] Archive(params ReadOnlySpan<(string Name, byte[] Content)> entries)
    {
        var items = new List<ZipItem>();
        foreach (var (name, content) in entries)
        {
            items.Add(new ZipItem(name, content));
        }

        return ZipBytes.Of([.. items]);
    }

    /// <summary>A checkpoint as a zip archive.</summary>
    public static byte[] Zip(byte[] pickle, params ReadOnlySpan<(string Key, byte[] Content)> storages)
    {
        var entries = new List<(string, byte[])> { ("m/data.pkl", pickle) };
        foreach (var (key, content) in storages)
        {
            entries.Add(("m/data/" + key, content));
        }

        return Archive([.. entries, ("m/version", "3\n"u8.ToArray())]);
    }

    /// <summary>A checkpoint as a row of pickles.</summary>
    public static byte[] Legacy(byte[] pickle, params ReadOnlySpan<(string Key, long Count, byte[] Content)> storages)
    {
        var keys = new PickleBytes().Protocol().Ops("](");
        var data = new List<byte>();
        foreach (var (key, count, content) in storages)
        {
            keys.Text(key);
            byte[] length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, count);
            data.AddRange([.. length, .. content]);
        }

        return [.. s_legacyStart, .. pickle, .. keys.Ops("e.").ToArray(), .. data];
    }
}
