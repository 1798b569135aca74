using Condense.Models.Formats.Safetensors;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Formats.Safetensors;

/// <summary>Files of other tools. They are not part of the repository; where they are absent, these tests skip themselves.</summary>
public sealed class SafetensorsSharedDataTests
{
    [Fact]
    public void The_reference_implementations_own_cases_end_as_it_expects()
    {
        string folder = Find("golden/safetensors-malformed");
        string[] lines = File.ReadAllLines(Path.Combine(folder, "EXPECT.tsv"));
        Assert.Equal(16, lines.Length);
        foreach (string line in lines)
        {
            string[] fields = line.Split('\t');
            Assert.Equal($"{fields[0]} {fields[2]}", $"{fields[0]} {Outcome(Path.Combine(folder, fields[0]))}");
        }
    }

    [Theory]
    [InlineData("models/ptb-lstm-2x200/model.safetensors", 11, 4_653_200)]
    [InlineData("models/retsim/model.safetensors", 23, 535_811)]
    public async Task Real_models_survive_being_written(string name, int tensors, long parameters)
    {
        string source = Find(name);
        using var folder = new TemporaryFolder();
        using var model = ModelReader.Open(ModelParts.Single(source), ReadLimits.Default);
        Assert.Equal(tensors, model.Tensors.Length);
        Assert.Equal(parameters, model.Tensors.Sum(tensor => tensor.Shape.ElementCount));
        Assert.All(model.Tensors, tensor => Assert.Equal(-1, WeightReader.FindNonFinite(tensor)));

        string path = folder.PathOf("copy");
        await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);
        using var copy = ModelReader.Open(ModelParts.Single(path), ReadLimits.Default);

        Assert.Equal(model.Metadata, copy.Metadata);
        foreach (var (expected, actual) in model.Tensors.Zip(copy.Tensors))
        {
            Assert.Equal((expected.Name, expected.DType, expected.Shape), (actual.Name, actual.DType, actual.Shape));
            Assert.True(SafetensorsBytes.BytesOf(expected).AsSpan().SequenceEqual(SafetensorsBytes.BytesOf(actual)));
        }
    }

    private static string Outcome(string path)
    {
        try
        {
            SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default).Dispose();
            return "ok";
        }
        catch (ModelFormatException refusal)
        {
            return refusal.Code.ToString();
        }
    }

    private static string Find(string name)
    {
        string? root = Environment.GetEnvironmentVariable("CONDENSE_SHARED_DATA");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); root is null && folder is not null; folder = folder.Parent)
        {
            string beside = Path.Combine(folder.FullName, "..", "shared", "data");
            root = File.Exists(Path.Combine(folder.FullName, "Service.sln")) && Directory.Exists(beside) ? beside : null;
        }

        Assert.SkipWhen(root is null, "Set CONDENSE_SHARED_DATA to the folder of shared models and format files.");
        return Path.Combine(root!, name);
    }
}
