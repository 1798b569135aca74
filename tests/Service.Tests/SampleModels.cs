using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Condense.Service.Tests;

/// <summary>Small safetensors files, made where they are needed.</summary>
internal static class SampleModels
{
    /// <summary>The repository's sample model.</summary>
    public static string Path
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                string path = System.IO.Path.Combine(folder.FullName, "samples", "moby-dick-lstm.onnx");
                if (System.IO.File.Exists(path))
                {
                    return path;
                }
            }

            throw new FileNotFoundException("The sample model is not in the repository above the tests.");
        }
    }

    /// <summary>Random weights <c>layers.i.weight</c> of rows × columns.</summary>
    public static byte[] Layers(int count, int rows, int columns, int seed = 0)
    {
        var random = new Random(seed);
        return File([.. Enumerable.Range(0, count).Select(i => ($"layers.{i}.weight", new[] { rows, columns }, Draw(random, rows * columns)))]);
    }

    /// <summary>A table of rows × columns named <c>embedding.weight</c>.</summary>
    public static byte[] Table(int rows, int columns) => File([("embedding.weight", [rows, columns], Draw(new Random(1), rows * columns))]);

    /// <summary>Two layers, the second with one NaN.</summary>
    public static byte[] WithNaN(int index)
    {
        var random = new Random(2);
        float[] bad = Draw(random, 64 * 48);
        bad[index] = float.NaN;
        return File([("good.weight", [64, 48], Draw(random, 64 * 48)), ("bad.weight", [64, 48], bad)]);
    }

    /// <summary>A vector alone: nothing that a method applies to.</summary>
    public static byte[] Vector() => File([("bias", [16], new float[16])]);

    /// <summary>Layers of 64 × 48 with these names.</summary>
    public static byte[] Named(params string[] names)
    {
        var random = new Random(5);
        return File([.. names.Select(name => (name, new[] { 64, 48 }, Draw(random, 64 * 48)))]);
    }

    /// <summary>An NPZ archive, stored, of one table named <c>embedding</c>.</summary>
    public static byte[] Npz(int rows, int columns)
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = archive.CreateEntry("embedding.npy", CompressionLevel.NoCompression).Open();
            string header = FormattableString.Invariant($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
            byte[] text = Encoding.ASCII.GetBytes(header.PadRight(117) + "\n");
            entry.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, (byte)text.Length, 0, .. text]);
            entry.Write(MemoryMarshal.AsBytes(Draw(new Random(3), rows * columns).AsSpan()));
        }

        return bytes.ToArray();
    }

    /// <summary>A pickle that would call <c>os.system</c> where it is loaded.</summary>
    public static byte[] HostilePickle() => [0x80, 2, .. "cos\nsystem\n"u8, (byte)'X', 4, 0, 0, 0, .. "echo"u8, 0x85, (byte)'R', (byte)'.'];

    private static float[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static byte[] File((string Name, int[] Shape, float[] Values)[] tensors)
    {
        var header = new JsonObject();
        using var data = new MemoryStream();
        foreach (var (name, shape, values) in tensors)
        {
            long start = data.Length;
            data.Write(MemoryMarshal.AsBytes(values.AsSpan()));
            header[name] = new JsonObject
            {
                ["dtype"] = "F32",
                ["shape"] = new JsonArray([.. shape.Select(dimension => (JsonNode)dimension)]),
                ["data_offsets"] = new JsonArray(start, data.Length),
            };
        }

        byte[] text = Encoding.UTF8.GetBytes(header.ToJsonString());
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. data.ToArray()];
    }
}
