using System.Security.Cryptography;
using Condense.Models.Tensors;
using Condense.Models.Tests.Formats.Safetensors;
using Xunit;

namespace Condense.Models.Tests.Formats.Numpy;

/// <summary>Arrays of other tools and projects: what must be read, with the digest of every tensor's bytes, and what refused.</summary>
public sealed class NumpySharedDataTests
{
    [Fact]
    public void Each_file_is_read_as_NumPy_reads_it_or_refused_with_its_cause()
    {
        string[][] lines = Expectations.Read("shared-data.tsv");
        Assert.All(lines, line => Assert.Equal(
            $"{line[0]} {line[1]} {line[2]}", $"{line[0]} {Outcome(Expectations.Find(line[0]))}"));
    }

    private static string Outcome(string path)
    {
        try
        {
            using var model = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);
            return $"open {string.Join("; ", model.Tensors.Select(Describe))}";
        }
        catch (ModelFormatException refusal)
        {
            return $"{refusal.Code} -";
        }
    }

    private static string Describe(Tensor tensor)
    {
        string shape = tensor.Shape.Rank == 0 ? "scalar" : string.Join('x', tensor.Shape.Dimensions);
        return $"{tensor.Name} {tensor.DType} {shape} {Convert.ToHexStringLower(SHA256.HashData(SafetensorsBytes.BytesOf(tensor)))[..16]}";
    }
}
