namespace Condense.Pipeline.Tests;

/// <summary>The repository's sample model.</summary>
internal static class SampleFiles
{
    public static string Onnx => Find("moby-dick-lstm.onnx");

    public static string Safetensors => Find("moby-dick-lstm.safetensors");

    public static string Vocabulary => Find("vocab.json");

    private static string Find(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Service.sln")))
            {
                return Path.Combine(folder.FullName, "samples", name);
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Service.sln.");
    }
}
