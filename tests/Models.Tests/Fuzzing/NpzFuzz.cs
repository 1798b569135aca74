using System.Text;
using Condense.Models.Tests.Formats.Numpy;
using Condense.Models.Tests.Formats.Zip;

namespace Condense.Models.Tests.Fuzzing;

/// <summary>NPZ files: broken arrays in whole archives, and whole arrays in broken archives.</summary>
internal sealed class NpzFuzz : FuzzFormat
{
    private static readonly string[] s_names = ["a.npy", "b/weight.npy", "__metadata__.npy", ".npy", "c", "../d.npy", "e.npy/"];
    private static readonly string[] s_metadata = ["{}", "{\"a\":\"b\"}", "{\"condense\":\"{}\",\"x\":\"\\u00e9\"}", "[1,2]", "{\"a\":{}}", "{\"a\":\"1\",\"a\":\"2\"}", "{", ""];

    private readonly byte[][] _arrays = [.. NpyFuzz.Seeds()];
    private readonly byte[][] _archives;

    public NpzFuzz() => _archives =
    [
        ZipBytes.Of(new ZipItem("a.npy", _arrays[0]), new ZipItem("b/weight.npy", _arrays[1])),
        ZipBytes.Of(new ZipItem("a.npy", _arrays[2]) { Method = 8 }, new ZipItem("b/weight.npy", _arrays[3]) { Method = 8 }),
        ZipBytes.Of(new ZipItem("__metadata__.npy", Metadata(s_metadata[1])), new ZipItem("a.npy", _arrays[4])),
    ];

    public override string Name => "npz";

    public override byte[] Make(Random random)
    {
        if (random.Next(2) == 0)
        {
            return ZipFuzz.Mutate(_archives, random);
        }

        var items = new ZipItem[random.Next(1, 4)];
        for (int i = 0; i < items.Length; i++)
        {
            string name = random.Next(3) != 0 ? $"t{i}.npy" : s_names[random.Next(s_names.Length)];
            byte[] data = random.Next(3) switch
            {
                0 => _arrays[random.Next(_arrays.Length)],
                1 => NpyFuzz.Mutate(_arrays, random),
                _ => Metadata(s_metadata[random.Next(s_metadata.Length)]),
            };
            items[i] = new ZipItem(name, data) { Method = random.Next(2) * 8 };
        }

        return ZipBytes.Of(items);
    }

    public override void Read(string path)
    {
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        ReadTensors(model);
    }

    private static byte[] Metadata(string json)
    {
        byte[] text = Encoding.UTF8.GetBytes(json);
        return NpyBytes.Of($"{{'descr': '|u1', 'fortran_order': False, 'shape': ({text.Length},), }}\n", text);
    }
}
