using System.IO.Compression;
using System.Text;
using Condense.Engine.Structures;
using Condense.Models.Formats.Numpy;
using Condense.Models.Formats.Zip;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Condense.Models.Tests.Formats.Safetensors;
using Condense.Models.Tests.Formats.Zip;
using Xunit;

namespace Condense.Models.Tests.Formats.Numpy;

public sealed class NpzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_written_is_read_again()
    {
        Tensor[] tensors =
        [
            SafetensorsBytes.Tensor("a", DType.F32, 3, 4),
            SafetensorsBytes.Tensor("dense/kernel:0", DType.F16, 7),
            SafetensorsBytes.Tensor("größe", DType.I64),
            SafetensorsBytes.Tensor("empty", DType.F64, 0, 5),
            SafetensorsBytes.Tensor("codes", DType.U8, 2, 3, 4),
        ];
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["note"] = "a \"quoted\" größe", ["format"] = "pt" };
        using var model = new Model(ModelFormat.Npz, [.. tensors], null, metadata, []);
        string path = await WriteAsync(model);

        using var copy = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        Assert.Equal(ModelFormat.Npz, copy.Format);
        Assert.Equal(metadata, copy.Metadata);
        Assert.Equal(tensors.Select(tensor => (tensor.Name, tensor.DType, tensor.Shape)), copy.Tensors.Select(tensor => (tensor.Name, tensor.DType, tensor.Shape)));
        Assert.All(tensors.Zip(copy.Tensors), pair => Assert.Equal(SafetensorsBytes.BytesOf(pair.First), SafetensorsBytes.BytesOf(pair.Second)));
        Assert.Equal(new ModelIdentity(ModelFormat.Npz, 5, null, ""), ModelReader.Identify(ModelParts.Single(path), ReadLimits.Default));
    }

    [Fact]
    public async Task Another_reader_of_archives_finds_the_same_bytes()
    {
        using var model = new Model(
            ModelFormat.Npz,
            [SafetensorsBytes.Tensor("w", DType.F32, 8, 7), SafetensorsBytes.Tensor("b", DType.F32, 7)],
            null,
            new Dictionary<string, string>(StringComparer.Ordinal),
            []);
        using var archive = ZipFile.OpenRead(await WriteAsync(model));
        Assert.Equal(["w.npy", "b.npy"], archive.Entries.Select(entry => entry.FullName));
        foreach (var (tensor, entry) in model.Tensors.Zip(archive.Entries))
        {
            using var stream = entry.Open();
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes, TestContext.Current.CancellationToken);
            Assert.Equal([.. NpyHeader.Write(tensor), .. SafetensorsBytes.BytesOf(tensor)], bytes.ToArray());
            Assert.Equal(ZipItem.Sum(bytes.ToArray()), entry.Crc32);
            Assert.Equal(new DateTime(1980, 1, 1), entry.LastWriteTime.DateTime);
        }
    }

    [Fact]
    public async Task Equal_models_give_equal_files_of_the_measured_length()
    {
        using var model = new Model(
            ModelFormat.Npz,
            [SafetensorsBytes.Tensor("w", DType.F32, 10, 3)],
            null,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["b"] = "2", ["a"] = "1" },
            []);
        using var same = new Model(
            ModelFormat.Npz,
            [SafetensorsBytes.Tensor("w", DType.F32, 10, 3)],
            null,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "1", ["b"] = "2" },
            []);
        byte[] first = await File.ReadAllBytesAsync(await WriteAsync(model), TestContext.Current.CancellationToken);
        byte[] second = await File.ReadAllBytesAsync(await WriteAsync(same), TestContext.Current.CancellationToken);
        Assert.Equal(first, second);
        Assert.Equal(ModelWriter.Measure(model), first.Length);
    }

    [Fact]
    public async Task More_entries_than_the_short_end_can_count_get_a_zip64_end()
    {
        Tensor[] tensors = [.. Enumerable.Range(0, 65_536).Select(i => SafetensorsBytes.Tensor($"t{i}", DType.U8))];
        using var model = new Model(ModelFormat.Npz, [.. tensors], null, new Dictionary<string, string>(StringComparer.Ordinal), []);
        string path = await WriteAsync(model);
        using var copy = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        Assert.Equal(65_536, copy.Tensors.Length);
        using var oracle = ZipFile.OpenRead(path);
        Assert.Equal(65_536, oracle.Entries.Count);
    }

    [Fact]
    public void The_length_of_an_archive_beyond_4_GiB_counts_its_zip64_fields()
    {
        // Both local sizes and the directory's two sizes; the second entry's place; the end and its locator.
        var large = new ZipSource("l", ReadOnlyMemory<byte>.Empty, new ZeroTensorData(5L << 30));
        var small = new ZipSource("s", ReadOnlyMemory<byte>.Empty, new MemoryTensorData(new byte[10]));
        Assert.Equal(
            (30 + 1 + 20 + (5L << 30)) + (30 + 1 + 10) + (46 + 1 + 20) + (46 + 1 + 12) + 76 + 22,
            ZipWriter.Measure([large, small]));
    }

    [Fact]
    public async Task Deflated_and_Fortran_ordered_arrays_are_read_as_they_are_meant()
    {
        // np.savez_compressed(file, f=np.asfortranarray([[1, 2, 3], [4, 5, 6]], 'u1'), c=…): deflated entries.
        byte[] fortran = NpyBytes.Of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", [1, 4, 2, 5, 3, 6]);
        byte[] plain = NpyBytes.Of("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", [1, 2, 3, 4, 5, 6]);
        string path = _folder.Write("z", ZipBytes.Of(new ZipItem("f.npy", fortran) { Method = 8 }, new ZipItem("c.npy", plain) { Method = 8 }));
        using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        Assert.Equal(["f", "c"], model.Tensors.Select(tensor => tensor.Name));
        Assert.All(model.Tensors, tensor => Assert.Equal([1, 2, 3, 4, 5, 6], SafetensorsBytes.BytesOf(tensor)));

        string copyPath = await WriteAsync(model);
        using var copy = ModelReader.Open(ModelParts.Single(copyPath), ReadLimits.Default);
        Assert.All(copy.Tensors, tensor => Assert.Equal([1, 2, 3, 4, 5, 6], SafetensorsBytes.BytesOf(tensor)));
    }

    [Fact]
    public void A_damaged_array_is_found_when_it_is_read()
    {
        byte[] array = NpyBytes.Of(NpyBytes.Header, new byte[24]);
        byte[] archive = ZipBytes.Of(new ZipItem("w.npy", array) { Crc = ZipItem.Sum(array) ^ 1 });
        using var model = ModelReader.Open(ModelParts.Single(_folder.Write("z", archive)), ReadLimits.Default);
        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsBytes.BytesOf(model.Tensors[0]));
        Assert.Equal(ModelFormatError.InvalidArchive, refusal.Code);
    }

    [Fact]
    public void Objects_in_an_archive_are_refused_by_name_and_place()
    {
        byte[] array = NpyBytes.Of("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new byte[8]);
        var refusal = Refused(ZipBytes.Of(new ZipItem("fine.npy", NpyBytes.Of(NpyBytes.Header, new byte[24])), new ZipItem("bad.npy", array)));
        Assert.Equal((ModelFormatError.UnsafePickle, "bad"), (refusal.Code, refusal.Tensor));
        Assert.Contains("'bad'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "object")]
    [InlineData("{\"a\":1}", "object")]
    [InlineData("{\"a\":\"1\",\"a\":\"2\"}", "twice")]
    [InlineData("{\"a\":", "JSON")]
    [InlineData("{}x", "JSON")]
    [InlineData("", "JSON")]
    public void Metadata_that_is_not_an_object_of_strings_is_refused(string text, string word)
    {
        byte[] json = Encoding.UTF8.GetBytes(text);
        byte[] array = NpyBytes.Of($"{{'descr': '|u1', 'fortran_order': False, 'shape': ({json.Length},), }}", json);
        var refusal = Refused(ZipBytes.Of(new ZipItem("__metadata__.npy", array)));
        Assert.Equal((ModelFormatError.InvalidHeaderDeserialization, "__metadata__"), (refusal.Code, refusal.Tensor));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_array_of_the_users_own_under_the_metadatas_name_is_refused_with_the_cure()
    {
        var refusal = Refused(ZipBytes.Of(new ZipItem("__metadata__.npy", NpyBytes.Of(NpyBytes.Header, new byte[24]))));
        Assert.Equal(ModelFormatError.InvalidHeaderDeserialization, refusal.Code);
        Assert.Contains("another name", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.BF16)]
    [InlineData(DType.F8E4M3)]
    [InlineData(DType.I4)]
    [InlineData(DType.U2)]
    public void A_dtype_that_NumPy_lacks_is_refused_by_the_tensors_name(DType dtype) => AssertCantHold(SafetensorsBytes.Tensor("weight.7", dtype, 8), "weight.7");

    [Theory]
    [InlineData("")]
    [InlineData("../w")]
    [InlineData("/w")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    [InlineData("a//b")]
    public void A_name_that_no_reader_would_take_is_not_written(string name) => AssertCantHold(SafetensorsBytes.Tensor(name, DType.F32, 1), "name may not");

    [Fact]
    public void A_name_that_is_no_text_is_not_written() => AssertCantHold(SafetensorsBytes.Tensor("half a pair: \ud800", DType.F32, 1), "surrogate");

    [Theory]
    [InlineData("w")]
    [InlineData("__metadata__")]
    public void A_name_that_is_taken_is_not_written_again(string name) => AssertCantHold(SafetensorsBytes.Tensor(name, DType.F32, 1), "taken");

    [Fact]
    public void An_npy_file_holds_one_tensor_and_no_metadata()
    {
        var none = new Dictionary<string, string>(StringComparer.Ordinal);
        using var two = new Model(ModelFormat.Npy, [SafetensorsBytes.Tensor("a", DType.F32, 1), SafetensorsBytes.Tensor("b", DType.F32, 1)], null, none, []);
        using var noted = new Model(ModelFormat.Npy, [SafetensorsBytes.Tensor("a", DType.F32, 1)], null, new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" }, []);
        Assert.Contains("NPZ", Assert.Throws<ArgumentException>(() => ModelWriter.Measure(two)).Message, StringComparison.Ordinal);
        Assert.Contains("NPZ", Assert.Throws<ArgumentException>(() => ModelWriter.Measure(noted)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_compression_of_a_single_array_is_an_archive_in_which_the_structure_is_found_again()
    {
        string source = _folder.Write("array.npy", NpyBytes.Of("{'descr': '<f4', 'fortran_order': True, 'shape': (6, 8), }", new byte[6 * 8 * 4]));
        using var model = ModelReader.Open(ModelParts.Single(source), ReadLimits.Default);
        var layer = Assert.Single(LayerFinder.Find(model));
        var form = new DenseForm(layer.Rows, layer.Columns, FloatFormat.F16);
        using var rewritten = ModelRewriter.Rewrite(model, [new CompressedLayer(layer, form, suffix => new ZeroTensorData(6 * 8 * 2), "float16")]);
        using var archive = rewritten.WithFormat(ModelFormat.Npz);

        string path = await WriteAsync(archive);
        using var copy = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
        var found = Assert.Single(ModelRewriter.FindStructured(copy));
        Assert.Equal(("array", form), (found.Name, found.Form));
        Assert.Equal(DType.F16, Assert.Single(copy.Tensors).DType);
    }

    private static void AssertCantHold(Tensor tensor, string word)
    {
        using var model = new Model(
            ModelFormat.Npz, [SafetensorsBytes.Tensor("w", DType.F32, 1), tensor], null, new Dictionary<string, string>(StringComparer.Ordinal), []);
        Assert.Contains(word, Assert.Throws<ArgumentException>(() => ModelWriter.Measure(model)).Message, StringComparison.Ordinal);
    }

    private ModelFormatException Refused(byte[] archive)
    {
        string path = _folder.Write("z", archive);
        return Assert.Throws<ModelFormatException>(() => ModelReader.Open(ModelParts.Single(path), ReadLimits.Default));
    }

    private async Task<string> WriteAsync(Model model)
    {
        string path = _folder.PathOf($"{Directory.GetFiles(Path.GetDirectoryName(_folder.PathOf("x"))!).Length}.npz");
        Assert.Equal([path], await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken));
        return path;
    }
}
