using System.Text;
using Condense.Models.Tests.Fuzzing;
using Xunit;

namespace Condense.Models.Tests.Formats.Safetensors;

/// <summary>Broken indices of shards: each is read or refused with its cause. Whole files are in the fuzzing of all formats.</summary>
public sealed class ShardIndexMutationTests
{
    [Fact]
    public void Mutated_indices_and_detection_read_or_refuse_too()
    {
        using var folder = new TemporaryFolder();
        byte[] shard = SafetensorsFuzz.Seeds().First();
        string shardPath = folder.Write("shard", shard);
        byte[] index = Encoding.UTF8.GetBytes("""{"metadata":{"total_size":30},"weight_map":{"a":"shard","b.weight":"shard","空":"shard"}}""");
        var random = new Random(21);
        string path = folder.PathOf("index");
        int read = 0;
        for (int input = 0; input < 2_000; input++)
        {
            File.WriteAllBytes(path, SafetensorsFuzz.Mutate([index, shard], random));
            try
            {
                using var model = ModelReader.Open(
                    new ModelParts(path, new Dictionary<string, string>(StringComparer.Ordinal) { ["shard"] = shardPath }), ReadLimits.Default);
                read++;
            }
            catch (ModelFormatException refusal)
            {
                Assert.False(string.IsNullOrEmpty(refusal.Message));
            }
        }

        Assert.InRange(read, 20, 1_900);
    }
}
