using Condense.Models.Formats.Onnx;
using Xunit;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class OnnxSharedDataTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Published_operator_tests_and_models_survive_a_round_trip()
    {
        string? data = FindSharedData();
        Assert.SkipWhen(data is null, "the folder of shared data is not here (CONDENSE_SHARED_DATA)");

        var token = TestContext.Current.CancellationToken;
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(data, "*.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            Model model;
            try
            {
                model = OnnxReader.Read(ModelParts.Single(file), ReadLimits.Default);
            }
            catch (ModelFormatException error) when (error.Message.Contains("opset 6", StringComparison.Ordinal))
            {
                continue;
            }

            using (model)
            {
                string path = _folder.PathOf("again.onnx");
                await OnnxWriter.WriteAsync(model, path, token);
                using var again = OnnxReader.Read(ModelParts.Single(path), ReadLimits.Default);
                Assert.True(string.Equals(ProgramText.Of(model.Program!), ProgramText.Of(again.Program!), StringComparison.Ordinal), file);
                Assert.True(new FileInfo(path).Length == OnnxWriter.Measure(model), file);
                count++;
            }
        }

        Assert.InRange(count, 200, int.MaxValue);
    }

    private static string? FindSharedData()
    {
        if (Environment.GetEnvironmentVariable("CONDENSE_SHARED_DATA") is { Length: > 0 } given)
        {
            return given;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Service.sln")))
            {
                string beside = Path.Combine(folder.FullName, "..", "shared", "data");
                return Directory.Exists(beside) ? beside : null;
            }
        }

        return null;
    }
}
