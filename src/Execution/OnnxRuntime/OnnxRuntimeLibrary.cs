using System.Runtime.InteropServices;

namespace Condense.Execution.OnnxRuntime;

/// <summary>ONNX Runtime's shared library, loaded. Its sessions are disposed before it; the library itself stays in the process, as it can't be unloaded safely.</summary>
public sealed class OnnxRuntimeLibrary : IDisposable
{
    private OnnxRuntimeLibrary(OnnxRuntimeApi api, string version)
    {
        // Errors come back as messages; only what ends the process is worth a line on the console.
        const int Fatal = 4;
        Api = api;
        Version = version;
        api.Check(api.CreateEnvironment(Fatal, "condense\0"u8.ToArray(), out nint environment));
        Environment = environment;
        api.Check(api.CreateMemoryInfo(0, 0, out nint memoryInfo));
        MemoryInfo = memoryInfo;
    }

    /// <summary>The runtime's version, for example <c>1.30.0</c>.</summary>
    public string Version { get; }

    internal OnnxRuntimeApi Api { get; }

    internal nint Environment { get; private set; }

    internal nint MemoryInfo { get; private set; }

    /// <summary>Loads the library.</summary>
    /// <param name="path">The path of <c>libonnxruntime.so</c>, <c>onnxruntime.dll</c> or <c>libonnxruntime.dylib</c>.</param>
    /// <exception cref="OnnxRuntimeException">The file is absent, is not a shared library of this platform, or is another library.</exception>
    public static OnnxRuntimeLibrary Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new OnnxRuntimeException($"There is no file '{path}'. Name the shared library of ONNX Runtime.");
        }

        nint library;
        try
        {
            library = NativeLibrary.Load(Path.GetFullPath(path));
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw new OnnxRuntimeException($"'{path}' is not a shared library that this process can load. Name the one of ONNX Runtime.", exception);
        }

        if (!NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint entry))
        {
            NativeLibrary.Free(library);
            throw new OnnxRuntimeException($"'{path}' is a shared library, but not ONNX Runtime: it has no function OrtGetApiBase.");
        }

        // OrtApiBase is two function pointers: the table of an interface version, and the library's version as text.
        nint apiBase = Marshal.GetDelegateForFunctionPointer<GetApiBase>(entry)();
        string version = Marshal.PtrToStringUTF8(Marshal.GetDelegateForFunctionPointer<GetVersion>(Marshal.ReadIntPtr(apiBase, nint.Size))()) ?? "";
        nint table = Marshal.GetDelegateForFunctionPointer<GetApi>(Marshal.ReadIntPtr(apiBase))(1);
        return table == 0
            ? throw new OnnxRuntimeException($"ONNX Runtime {version} in '{path}' does not offer the first version of its interface.")
            : new OnnxRuntimeLibrary(new OnnxRuntimeApi(table), version);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Environment != 0)
        {
            Api.ReleaseMemoryInfo(MemoryInfo);
            Api.ReleaseEnvironment(Environment);
            MemoryInfo = 0;
            Environment = 0;
        }
    }

    private delegate nint GetApiBase();

    private delegate nint GetVersion();

    private delegate nint GetApi(uint version);
}
