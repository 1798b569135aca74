using System.Security.Cryptography;
using Condense.Models.Tests.Formats.Safetensors;
using Xunit;

namespace Condense.Models.Tests.Formats.PyTorch;

/// <summary>Checkpoints that PyTorch wrote (<c>samples/make_samples.py</c>), against what PyTorch reads from them.</summary>
public sealed class PyTorchSamplesTests
{
    private static readonly string s_samples = Path.Combine(AppContext.BaseDirectory, "Formats", "PyTorch", "samples");

    public static TheoryData<string> Files { get; } =
        [.. new[] { "dtypes", "lone", "pair", "python", "strided", "training" }.SelectMany(name => new[] { $"{name}.zip.pt", $"{name}.legacy.pt" }),
            "python.zip-4.pt", "python.legacy-5.pt", "strided.zip-4.pt", "strided.legacy-5.pt"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Tensors_equal_pytorchs_bit_for_bit(string file)
    {
        using var model = Open(file);

        var actual = model.Tensors.Select(tensor => string.Join(
            '\t', file, tensor.Name, tensor.DType, string.Join('x', tensor.Shape.Dimensions), Convert.ToHexStringLower(SHA256.HashData(SafetensorsBytes.BytesOf(tensor)))));

        Assert.Equal(File.ReadLines(Path.Combine(s_samples, "samples.tsv")).Where(line => line.StartsWith(file + '\t', StringComparison.Ordinal)), actual);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Parts_of_tensors_are_parts_of_their_bytes(string file)
    {
        using var model = Open(file);
        var random = new Random(5);
        foreach (var tensor in model.Tensors)
        {
            byte[] whole = SafetensorsBytes.BytesOf(tensor);
            for (int i = 0; i < 50; i++)
            {
                int start = random.Next(whole.Length + 1);
                byte[] part = new byte[random.Next(whole.Length - start + 1)];
                tensor.Data.Read(start, part);
                Assert.True(whole.AsSpan(start, part.Length).SequenceEqual(part), $"{tensor.Name} from {start}");
            }

            using var copy = new MemoryStream();
            await tensor.Data.CopyToAsync(copy, TestContext.Current.CancellationToken);
            Assert.Equal(whole, copy.ToArray());
        }
    }

    [Theory]
    [InlineData("training.zip.pt")]
    [InlineData("training.legacy.pt")]
    public void Findings_tell_instructions_names_optimizer_ties_and_what_is_no_tensor(string file)
    {
        using var model = Open(file);
        byte[] bytes = File.ReadAllBytes(Path.Combine(s_samples, file));

        var pickle = Assert.Single(model.Findings, finding => finding.Code == "pickle");
        Assert.Contains("protocol 2", pickle.Detail, StringComparison.Ordinal);
        Assert.Contains("REDUCE", pickle.Detail, StringComparison.Ordinal);
        Assert.Equal(0x80, bytes[pickle.Offset!.Value]);

        var names = model.Findings.Where(finding => finding.Code == "pickle_global").ToList();
        Assert.All(names, finding => Assert.Equal((byte)'c', bytes[finding.Offset!.Value]));
        Assert.Equal(
            ["collections.OrderedDict", "torch.FloatStorage", "torch._utils._rebuild_tensor_v2"],
            names.Select(finding => finding.Detail.Split(' ')[3]).Order(StringComparer.Ordinal));

        var optimizer = Assert.Single(model.Findings, finding => finding.Code == "optimizer_state");
        var state = model.Tensors.Where(tensor => tensor.Name.StartsWith("optimizer.", StringComparison.Ordinal)).ToList();
        Assert.Equal("optimizer.state.0.step", optimizer.Tensor);
        Assert.Contains($"'optimizer' is the state of an optimizer: {state.Count} tensors, {state.Sum(tensor => tensor.Data.ByteLength)} bytes", optimizer.Detail, StringComparison.Ordinal);

        var tied = Assert.Single(model.Findings, finding => finding.Code == "tied_weights");
        Assert.Contains("'model.embedding.weight', 'model.decoder.weight'", tied.Detail, StringComparison.Ordinal);

        Assert.Contains(model.Findings, finding => finding.Code == "not_tensors");
    }

    [Fact]
    public void A_checkpoint_is_identified_by_its_tensors()
    {
        var identity = ModelReader.Identify(ModelParts.Single(Path.Combine(s_samples, "pair.legacy.pt")), ReadLimits.Default);
        Assert.Equal(new ModelIdentity(ModelFormat.PyTorch, 2, IrVersion: null, ""), identity);
    }

    [Fact]
    public async Task A_checkpoint_is_never_written()
    {
        using var folder = new TemporaryFolder();
        using var model = Open("pair.zip.pt");

        Assert.Throws<ArgumentException>(() => ModelWriter.Measure(model));
        await Assert.ThrowsAsync<ArgumentException>(() => ModelWriter.WriteAsync(model, folder.PathOf("out.pt"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(folder.PathOf("out.pt")));
    }

    private static Model Open(string file) => ModelReader.Open(ModelParts.Single(Path.Combine(s_samples, file)), ReadLimits.Default);
}
