using Condense.Models.Formats.Safetensors;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Formats.Safetensors;

public sealed class SafetensorsReaderTests
{
    [Fact]
    public void Tensors_come_in_the_order_of_their_bytes_whatever_the_header_says()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", SafetensorsBytes.Of(
            """
             {"z":{"data_offsets":[1,3],"shape":[2],"dtype":"U8"},
              "none":{"dtype":"F32","shape":[3,0],"data_offsets":[1,1]},
              "y":{"dtype":"I8","shape":[],"data_offsets":[0,1]}}
            """,
            1,
            2,
            3));

        using var model = SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default);

        Assert.Equal(["y", "none", "z"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(new TensorShape(), model.Tensors[0].Shape);
        Assert.Equal(new TensorShape(3, 0), model.Tensors[1].Shape);
        Assert.Equal([2, 3], SafetensorsBytes.BytesOf(model.Tensors[2]));
        Assert.Null(model.Program);
        Assert.Empty(model.Metadata);
    }

    [Fact]
    public void Metadata_is_kept_with_every_character()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", SafetensorsBytes.Of("""{"__metadata__":{"format":"pt","näme 😀":"two\nlines \u20AC \"q\"","":""}}"""));

        using var model = SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default);

        Assert.Equal(3, model.Metadata.Count);
        Assert.Equal("pt", model.Metadata["format"]);
        Assert.Equal("two\nlines € \"q\"", model.Metadata["näme 😀"]);
        Assert.Equal("", model.Metadata[""]);
    }

    [Fact]
    public void Metadata_may_be_null_as_the_reference_implementation_allows()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", SafetensorsBytes.Of("""{"__metadata__":null}"""));

        using var model = SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default);

        Assert.Empty(model.Metadata);
    }

    [Fact]
    public void Identify_counts_tensors_and_lets_go_of_the_file()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", SafetensorsBytes.Of("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1));

        var identity = SafetensorsReader.Identify(ModelParts.Single(path), ReadLimits.Default);

        Assert.Equal(new ModelIdentity(ModelFormat.Safetensors, 1, null, ""), identity);
        using var exclusive = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    [Fact]
    public void A_refused_file_is_let_go_and_an_open_one_is_held_until_disposed()
    {
        using var folder = new TemporaryFolder();
        string broken = folder.Write("broken", SafetensorsBytes.Of("{}", 1));
        string sound = folder.Write("sound", SafetensorsBytes.Of("{}"));

        Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(ModelParts.Single(broken), ReadLimits.Default));
        using (new FileStream(broken, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            using var model = SafetensorsReader.Read(ModelParts.Single(sound), ReadLimits.Default);
            Assert.Throws<IOException>(() => new FileStream(sound, FileMode.Open, FileAccess.ReadWrite, FileShare.None));
        }

        using var exclusive = new FileStream(sound, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    [Fact]
    public void Five_gibibytes_open_and_read_in_little_memory()
    {
        const long Bytes = 5L << 30;
        using var folder = new TemporaryFolder();
        byte[] head = SafetensorsBytes.Of(
            $$$"""{"huge":{"dtype":"F32","shape":[{{{Bytes / 4}}}],"data_offsets":[0,{{{Bytes}}}]},"last":{"dtype":"U8","shape":[2],"data_offsets":[{{{Bytes}}},{{{Bytes + 2}}}]}}""");
        string path = folder.Write("model", head);
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.SetLength(head.Length + Bytes);
            file.Seek(0, SeekOrigin.End);
            file.Write([5, 6]);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        using var model = SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default);
        byte[] end = new byte[4];
        model.Tensors[0].Data.Read(Bytes - 4, end);
        byte[] last = SafetensorsBytes.BytesOf(model.Tensors[1]);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal([5, 6], last);
        Assert.Equal(new byte[4], end);
        Assert.Equal(Bytes / 4, model.Tensors[0].Shape.ElementCount);
        Assert.InRange(allocated, 0, 1 << 20);
    }
}
