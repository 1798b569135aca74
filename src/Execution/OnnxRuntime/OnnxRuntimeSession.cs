using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Execution.OnnxRuntime;

/// <summary>An ONNX model, loaded by ONNX Runtime and ready to run on the CPU. Not for several threads at once.</summary>
public sealed class OnnxRuntimeSession : IDisposable
{
    private readonly OnnxRuntimeLibrary _library;
    private nint _session;

    /// <summary>Loads a model.</summary>
    /// <param name="library">The runtime; outlives the session.</param>
    /// <param name="modelPath">The model's file; external data lies beside it.</param>
    /// <param name="level">How far the graph may be rewritten.</param>
    /// <param name="threads">Threads for one operator, ≥ 1.</param>
    /// <exception cref="OnnxRuntimeException">The runtime does not accept the model.</exception>
    public OnnxRuntimeSession(OnnxRuntimeLibrary library, string modelPath, OptimisationLevel level, int threads)
    {
        ArgumentNullException.ThrowIfNull(library);
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _library = library;
        var api = library.Api;
        api.Check(api.CreateSessionOptions(out nint options));
        try
        {
            api.Check(api.SetOptimisationLevel(options, (int)level));
            api.Check(api.SetThreads(options, threads));
            var encoding = OperatingSystem.IsWindows() ? Encoding.Unicode : Encoding.UTF8;
            api.Check(api.CreateSession(library.Environment, encoding.GetBytes(modelPath + '\0'), options, out _session));
        }
        finally
        {
            api.ReleaseSessionOptions(options);
        }

        Inputs = Describe(api.InputCount, api.InputName, api.InputType);
        Outputs = Describe(api.OutputCount, api.OutputName, api.OutputType);
    }

    /// <summary>What is passed in.</summary>
    public ImmutableArray<RuntimeValue> Inputs { get; }

    /// <summary>What comes out.</summary>
    public ImmutableArray<RuntimeValue> Outputs { get; }

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">A tensor for each input.</param>
    /// <returns>Every output that is a tensor of a type that is exchanged, by name.</returns>
    /// <exception cref="OnnxRuntimeException">The runtime failed: an input is missing or of the wrong type or shape, or a node can't be computed.</exception>
    /// <exception cref="ArgumentException">An input is of a type that is not exchanged, or its bytes do not fit its shape.</exception>
    public IReadOnlyDictionary<string, RuntimeTensor> Run(IReadOnlyDictionary<string, RuntimeTensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(_session == 0, this);
        var api = _library.Api;
        string[] outputNames = [.. Outputs.Where(output => output.DType is not null).Select(output => output.Name)];
        var pins = new List<GCHandle>(inputs.Count);
        var names = new List<nint>(inputs.Count + outputNames.Length);
        nint[] values = new nint[inputs.Count];
        nint[] results = new nint[outputNames.Length];
        try
        {
            foreach (var (name, tensor) in inputs)
            {
                names.Add(Marshal.StringToCoTaskMemUTF8(name));
                pins.Add(GCHandle.Alloc(tensor.Data, GCHandleType.Pinned));
                values[pins.Count - 1] = CreateValue(name, tensor, pins[^1].AddrOfPinnedObject());
            }

            names.AddRange(outputNames.Select(Marshal.StringToCoTaskMemUTF8));
            api.Check(api.Run(
                _session, 0, [.. names[..inputs.Count]], values, (nuint)values.Length, [.. names[inputs.Count..]], (nuint)results.Length, results));
            return outputNames.Zip(results).ToDictionary(pair => pair.First, pair => Copy(pair.First, pair.Second), StringComparer.Ordinal);
        }
        finally
        {
            foreach (nint value in values.Concat(results).Where(value => value != 0))
            {
                api.ReleaseValue(value);
            }

            names.ForEach(Marshal.FreeCoTaskMem);
            pins.ForEach(pin => pin.Free());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_session != 0)
        {
            _library.Api.ReleaseSession(_session);
            _session = 0;
        }
    }

    private nint CreateValue(string name, RuntimeTensor tensor, nint data)
    {
        long byteLength = tensor.Shape.ElementCount * RuntimeTypes.ByteSize(tensor.DType);
        if (tensor.Data.LongLength != byteLength)
        {
            throw new ArgumentException($"Input '{name}' ({tensor.DType} {tensor.Shape}) takes {byteLength} bytes, not {tensor.Data.LongLength}.", nameof(tensor));
        }

        var api = _library.Api;
        api.Check(api.CreateTensor(
            _library.MemoryInfo,
            data,
            (nuint)byteLength,
            [.. tensor.Shape.Dimensions],
            (nuint)tensor.Shape.Rank,
            RuntimeTypes.ToNumber(tensor.DType),
            out nint value));
        return value;
    }

    private RuntimeTensor Copy(string name, nint value)
    {
        var api = _library.Api;
        api.Check(api.TensorTypeAndShape(value, out nint info));
        try
        {
            var (type, dimensions) = ReadInfo(info);
            var shape = new TensorShape(dimensions);
            if (type is null || shape.ElementCount * RuntimeTypes.ByteSize(type.Value) > Array.MaxLength)
            {
                throw new OnnxRuntimeException($"Output '{name}' ({type} {shape}) is too large to be copied, or of a type that is not exchanged.");
            }

            byte[] data = new byte[shape.ElementCount * RuntimeTypes.ByteSize(type.Value)];
            if (data.Length > 0)
            {
                api.Check(api.TensorData(value, out nint address));
                Marshal.Copy(address, data, 0, data.Length);
            }

            return new RuntimeTensor(type.Value, shape, data);
        }
        finally
        {
            api.ReleaseTensorInfo(info);
        }
    }

    private ImmutableArray<RuntimeValue> Describe(OnnxRuntimeApi.GetSize count, OnnxRuntimeApi.GetName name, OnnxRuntimeApi.GetItem type)
    {
        var api = _library.Api;
        api.Check(api.DefaultAllocator(out nint allocator));
        api.Check(count(_session, out nuint total));
        var values = ImmutableArray.CreateBuilder<RuntimeValue>((int)total);
        for (nuint i = 0; i < total; i++)
        {
            api.Check(name(_session, i, allocator, out nint text));
            string valueName = Marshal.PtrToStringUTF8(text) ?? "";
            api.Check(api.FreeMemory(allocator, text));
            api.Check(type(_session, i, out nint typeInfo));
            try
            {
                values.Add(DescribeValue(valueName, typeInfo));
            }
            finally
            {
                api.ReleaseTypeInfo(typeInfo);
            }
        }

        return values.MoveToImmutable();
    }

    private RuntimeValue DescribeValue(string name, nint typeInfo)
    {
        var api = _library.Api;
        api.Check(api.TensorInfo(typeInfo, out nint info));
        if (info == 0)
        {
            return new RuntimeValue(name, null, []);
        }

        // The info belongs to the type's info and is freed with it.
        var (type, dimensions) = ReadInfo(info);
        long[] dimensionNames = new long[dimensions.Length];
        api.Check(api.SymbolicDimensions(info, dimensionNames, (nuint)dimensionNames.Length));
        return new RuntimeValue(
            name,
            type,
            [.. dimensions.Select((size, axis) => size >= 0 ? new Dimension(size, "") : new Dimension(null, Marshal.PtrToStringUTF8((nint)dimensionNames[axis]) ?? ""))]);
    }

    private (DType? Type, long[] Dimensions) ReadInfo(nint info)
    {
        var api = _library.Api;
        api.Check(api.ElementType(info, out int number));
        api.Check(api.DimensionCount(info, out nuint rank));
        long[] dimensions = new long[rank];
        api.Check(api.Dimensions(info, dimensions, rank));
        return (RuntimeTypes.FromNumber(number), dimensions);
    }
}
