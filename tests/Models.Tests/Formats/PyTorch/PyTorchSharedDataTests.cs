using System.Security.Cryptography;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Formats.PyTorch;

/// <summary>
/// Files of other tools. They are not part of the repository; where they are absent, these tests skip themselves. What is expected of each stands in
/// <c>expect/*.tsv</c>, which <c>expect/make_expect.py</c> writes with PyTorch.
/// </summary>
public sealed class PyTorchSharedDataTests
{
    [Theory]
    [InlineData("burn", "golden/burn", "*.pt")]
    [InlineData("candle", "golden/candle", "*.pt;*.pth")]
    [InlineData("models", "models", "*.pt;*.tar")]
    [InlineData("picklescan", "golden/picklescan", "*.pkl;*.pt;*.bin;*.zip;*.7z")]
    public void Files_of_other_tools_are_read_as_pytorch_reads_them_or_refused(string set, string below, string patterns)
    {
        string root = Path.Combine(Root(), below);
        string[] expected = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Formats", "PyTorch", "expect", set + ".tsv"));
        var files = patterns.Split(';').SelectMany(pattern => Directory.EnumerateFiles(root, pattern, SearchOption.AllDirectories));

        var actual = files.Select(file => Path.GetRelativePath(root, file)).SelectMany(name => Outcome(root, name));

        // The reason of a refusal is for people; the code is what is compared.
        Assert.Equal(
            expected.Select(line => line.Split('\t') is [var name, "refused", var code, _] ? $"{name}\trefused\t{code}" : line).Order(StringComparer.Ordinal),
            actual.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Outcome(string root, string name)
    {
        try
        {
            using var model = ModelReader.Open(ModelParts.Single(Path.Combine(root, name)), ReadLimits.Default);
            Assert.Equal(ModelFormat.PyTorch, model.Format);
            return [.. model.Tensors.Select(tensor => string.Join('\t', name, "ok", tensor.Name, tensor.DType, string.Join('x', tensor.Shape.Dimensions), Digest(tensor)))];
        }
        catch (ModelFormatException refusal)
        {
            Assert.NotNull(refusal.Offset);
            return [$"{name}\trefused\t{refusal.Code}"];
        }
    }

    private static string Digest(Tensor tensor)
    {
        byte[] bytes = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, bytes);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    private static string Root()
    {
        string? root = Environment.GetEnvironmentVariable("CONDENSE_SHARED_DATA");
        Assert.SkipWhen(root is null, "Set CONDENSE_SHARED_DATA to the folder of shared models and format files.");
        return root!;
    }
}
