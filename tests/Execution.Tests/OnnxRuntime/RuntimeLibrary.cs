using Condense.Execution.OnnxRuntime;
using Xunit;

namespace Condense.Execution.Tests.OnnxRuntime;

/// <summary>ONNX Runtime for tests: from CONDENSE_ONNXRUNTIME_LIBRARY, or from the npm package that test.sh installs.</summary>
internal static class RuntimeLibrary
{
    private static readonly Lazy<OnnxRuntimeLibrary?> s_library = new(() => Path is { } path ? OnnxRuntimeLibrary.Load(path) : null);

    public static string? Path { get; } = Find();

    /// <summary>The library; the test skips itself where there is none.</summary>
    public static OnnxRuntimeLibrary Require()
    {
        Assert.SkipWhen(s_library.Value is null, "ONNX Runtime is absent: set CONDENSE_ONNXRUNTIME_LIBRARY, or install tests/package.json with npm.");
        return s_library.Value!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("CONDENSE_ONNXRUNTIME_LIBRARY") is { Length: > 0 } named)
        {
            return named;
        }

        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(System.IO.Path.Combine(root.FullName, "Service.sln")))
        {
            root = root.Parent;
        }

        string package = System.IO.Path.Combine(root?.FullName ?? "", "tests", "node_modules", "onnxruntime-node", "bin");
        return Directory.Exists(package)
            ? Directory.EnumerateFiles(package, "libonnxruntime.so*", SearchOption.AllDirectories)
                .Where(file => file.Contains("linux/x64", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .FirstOrDefault()
            : null;
    }
}
