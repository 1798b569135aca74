using System.Text;
using Xunit;
using static Condense.Models.ModelFormatError;

namespace Condense.Models.Tests.Formats.Safetensors;

public sealed class ShardedModelTests
{
    private const string First = "model-00001-of-00002.safetensors";
    private const string Second = "model-00002-of-00002.safetensors";

    private const string Index = $$$"""
        {"metadata":{"total_size":6,"nested":[{"weight_map":1}]},
         "weight_map":{"c":"{{{Second}}}","a":"{{{First}}}","b":"{{{First}}}"},
         "later":null}
        """;

    [Fact]
    public async Task Shards_read_as_one_model_and_write_as_one_file()
    {
        using var folder = new TemporaryFolder();
        var parts = WriteShards(folder, Index);
        Assert.Equal(new ModelIdentity(ModelFormat.Safetensors, 3, null, ""), ModelReader.Identify(parts, ReadLimits.Default));

        using var model = ModelReader.Open(parts, ReadLimits.Default);
        string path = folder.PathOf("joined");
        await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);
        using var joined = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);

        foreach (var read in new[] { model, joined })
        {
            Assert.Equal(["a", "b", "c"], read.Tensors.Select(tensor => tensor.Name));
            Assert.Equal([1, 2], SafetensorsBytes.BytesOf(read.Tensors[0]));
            Assert.Equal([3], SafetensorsBytes.BytesOf(read.Tensors[1]));
            Assert.Equal([4, 5, 6], SafetensorsBytes.BytesOf(read.Tensors[2]));
            Assert.Equal("first", read.Metadata["who"]);
            Assert.Equal("here", read.Metadata["only second"]);
        }
    }

    [Fact]
    public void The_command_line_finds_shards_beside_their_index()
    {
        using var folder = new TemporaryFolder();
        WriteShards(folder, Index);

        using var model = ModelReader.Open(ModelParts.Beside(folder.PathOf("index")), ReadLimits.Default);

        Assert.Equal(3, model.Tensors.Length);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"absent"}}""", MissingPart, null)]
    [InlineData($$$"""{"weight_map":{"a":"{{{Second}}}"}}""", MissingPart, "a")]
    [InlineData($$$"""{"weight_map":{"a":"{{{First}}}","nowhere":"{{{First}}}"}}""", MissingPart, "nowhere")]
    [InlineData($$$"""{"weight_map":{"a":"{{{First}}}","c":"{{{First}}}","b":"{{{Second}}}"}}""", MissingPart, "c")]
    [InlineData("""{"weight_map":{"a":"../a"}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":".."}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":"."}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":""}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":"b\\c"}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":"C:b"}}""", UnsafeExternalData, "a")]
    [InlineData("""{"weight_map":{"a":"b\u0000"}}""", UnsafeExternalData, "a")]
    [InlineData($$$"""{"weight_map":{"a":"{{{First}}}","a":"{{{First}}}"}}""", DuplicateName, "a")]
    [InlineData($$"""{"weight_map":{},"weight_map":{} }""", DuplicateName, null)]
    [InlineData("""{"weight_map":{"a":1}}""", InvalidHeaderDeserialization, "a")]
    [InlineData("""{"weight_map":[]}""", InvalidHeaderDeserialization, null)]
    [InlineData("""{"weight_map":{"a":"b" """, InvalidHeaderDeserialization, null)]
    [InlineData("""{"weight_map":{} } and more""", InvalidHeaderDeserialization, null)]
    [InlineData("""{"architectures":["BertModel"]}""", UnsupportedFormat, null)]
    public void An_index_that_lies_is_refused(string index, ModelFormatError code, string? tensor)
    {
        using var folder = new TemporaryFolder();
        var parts = WriteShards(folder, index);

        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, ReadLimits.Default));

        Assert.Equal(code, refusal.Code);
        Assert.Equal(tensor, refusal.Tensor);
    }

    [Fact]
    public void A_tensor_in_two_shards_is_refused_though_the_index_names_it_once()
    {
        using var folder = new TemporaryFolder();
        var parts = WriteShards(folder, Index);
        File.Copy(folder.PathOf(First), folder.PathOf(Second), overwrite: true);

        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, ReadLimits.Default));

        Assert.Equal(DuplicateName, refusal.Code);
        Assert.Equal("a", refusal.Tensor);
    }

    [Fact]
    public void A_broken_shard_is_named()
    {
        using var folder = new TemporaryFolder();
        var parts = WriteShards(folder, Index);
        using (var shard = new FileStream(folder.PathOf(Second), FileMode.Open))
        {
            shard.SetLength(shard.Length - 1);
        }

        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, ReadLimits.Default));

        Assert.Equal(MetadataIncompleteBuffer, refusal.Code);
        Assert.Equal("c", refusal.Tensor);
        Assert.Contains(Second, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_hold_over_all_shards_together()
    {
        using var folder = new TemporaryFolder();
        var parts = WriteShards(folder, Index);

        // Three tensors and two shards in the index, three tensors and three metadata entries in the shards.
        using var model = ModelReader.Open(parts, new ReadLimits { Items = 11 });
        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, new ReadLimits { Items = 10 }));

        Assert.Equal(LimitExceeded, refusal.Code);
    }

    private static ModelParts WriteShards(TemporaryFolder folder, string index)
    {
        string main = folder.Write("index", Encoding.UTF8.GetBytes(index));
        string first = folder.Write(First, SafetensorsBytes.Of(
            """{"__metadata__":{"who":"first"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""",
            1,
            2,
            3));
        string second = folder.Write(Second, SafetensorsBytes.Of(
            """{"__metadata__":{"who":"second","only second":"here"},"c":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""",
            4,
            5,
            6));
        return new ModelParts(main, new Dictionary<string, string>(StringComparer.Ordinal) { [First] = first, [Second] = second });
    }
}
