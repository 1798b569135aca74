using System.Text;
using Condense.Models.Tests.Formats.Safetensors;
using Condense.Models.Tests.Formats.Zip;
using Xunit;

namespace Condense.Models.Tests;

public sealed class ModelReaderTests
{
    // What people send instead of a model: its first bytes, and the word that the refusal must say.
    public static TheoryData<byte[], string> Strangers { get; } = new()
    {
        { ZipBytes.Of(new ZipItem("config.json", []), new ZipItem("model.weights.h5", [])), "Keras" },
        { ZipBytes.Of(new ZipItem("net.onnx", [8, 7])), "unpack" },
        { ZipBytes.Of(new ZipItem("readme.txt", [])), "readme.txt" },
        { ZipBytes.Of(new ZipItem("a.npy", []), new ZipItem("readme.txt", [])), "NPZ" },
        { [.. "GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0"u8], "GGUF" },
        { [0x89, .. "HDF\r\n\x1a\n\0\0\0\0"u8], "HDF5" },
        { [0x1C, 0, 0, 0, .. "TFL3\0\0\x12\0"u8], "TensorFlow Lite" },
        { [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], "gzip" },
        { [.. "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"u8], "Git LFS" },
        { [.. "<!DOCTYPE html>\n<html><body>Not found</body></html>"u8], "HTML" },
        { [.. "\n  <?xml version=\"1.0\"?>"u8], "XML" },
        { [.. "hello, I am a model\n"u8], "text" },

        // Text that is a ModelProto as well: field 8, of ten bytes.
        { [.. "B\n0123456789"u8], "text" },
        { [.. "Größe: 東京"u8], "text" },
        { [0x12], "binary" },
        { new byte[100], "zero bytes" },
        { [0xFF, 0xD8, 0xFF, 0xE0, 0, 0x10, .. "JFIF"u8], "binary" },

        // A saved TensorFlow model, which begins as an ONNX model does but goes on with a graph of 70,000 bytes.
        { [0x08, 0x01, 0x12, 0xF0, 0xA2, 0x04, .. new byte[70_000]], "binary" },

        // A protocol-buffers tensor, not a model.
        { [0x08, 0x02, 0x10, 0x01, 0x4A, 0x04, 0, 0, 0x80, 0x3F], "binary" },

        // A length that passes the file, in a field that says nothing yet.
        { [0x08, 0x07, 0x1A, 0x64, 0x00], "binary" },

        // An archive whose magic stands behind the first entry's header fields.
        { [.. Encoding.ASCII.GetBytes("model.bin".PadRight(257, '\0')), .. "ustar\0"u8], "tar" },
    };

    [Theory]
    [MemberData(nameof(Strangers))]
    public void What_is_no_model_is_refused_with_what_it_looks_like(byte[] bytes, string word)
    {
        using var folder = new TemporaryFolder();
        var parts = ModelParts.Single(folder.Write("model.onnx", bytes));

        var opened = Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, ReadLimits.Default));
        var identified = Assert.Throws<ModelFormatException>(() => ModelReader.Identify(parts, ReadLimits.Default));

        Assert.Equal(ModelFormatError.UnsupportedFormat, opened.Code);
        Assert.Contains(word, opened.Message, StringComparison.Ordinal);
        Assert.Contains("safetensors", opened.Message, StringComparison.Ordinal);
        Assert.Contains("ONNX", opened.Message, StringComparison.Ordinal);
        Assert.Equal(opened.Message, identified.Message);
    }

    [Fact]
    public void An_empty_file_is_called_empty()
    {
        using var folder = new TemporaryFolder();
        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(ModelParts.Single(folder.Write("m", [])), ReadLimits.Default));
        Assert.Equal(ModelFormatError.EmptyFile, refusal.Code);
    }

    [Fact]
    public void Any_json_but_an_index_is_called_json()
    {
        using var folder = new TemporaryFolder();
        var parts = ModelParts.Single(folder.Write("m", " {\"vocab_size\": 10000}"u8));
        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, ReadLimits.Default));
        Assert.Equal(ModelFormatError.UnsupportedFormat, refusal.Code);
        Assert.Contains("weight_map", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(123)]
    [InlineData(32)]
    public void A_safetensors_file_is_known_by_its_bytes_whatever_its_length_looks_like(int length)
    {
        // 123 is '{' and 32 a space: the first byte of a length may be what JSON begins with.
        string header = length == 0 ? "{}" : "{}".PadRight(length);
        using var folder = new TemporaryFolder();

        using var model = ModelReader.Open(ModelParts.Single(folder.Write("model.onnx", SafetensorsBytes.Of(header))), ReadLimits.Default);

        Assert.Equal(ModelFormat.Safetensors, model.Format);
    }

    [Theory]
    [InlineData("3C00000000000000", ModelFormatError.InvalidHeaderLength)]
    [InlineData("3C00000000FFFFFF7B2274", ModelFormatError.HeaderTooLarge)]
    [InlineData("0A000000000000007B2274657374", ModelFormatError.InvalidHeaderLength)]
    public void A_cut_or_broken_safetensors_file_is_still_taken_for_one(string hex, ModelFormatError code)
    {
        using var folder = new TemporaryFolder();
        var parts = ModelParts.Single(folder.Write("m", Convert.FromHexString(hex)));
        Assert.Equal(code, Assert.Throws<ModelFormatException>(() => ModelReader.Open(parts, ReadLimits.Default)).Code);
    }

    [Fact]
    public void A_file_that_is_not_there_is_not_a_broken_model() =>
        Assert.Throws<FileNotFoundException>(() => ModelReader.Open(ModelParts.Single("no-such-file"), ReadLimits.Default));
}
