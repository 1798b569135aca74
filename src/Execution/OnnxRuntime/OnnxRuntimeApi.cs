using System.Runtime.InteropServices;

namespace Condense.Execution.OnnxRuntime;

/// <summary>
/// The functions of ONNX Runtime's C interface that are called, out of its table of function pointers. The table only ever grows at its end, so that the
/// numbers below, all of the interface's first version, hold for every release.
/// </summary>
internal sealed class OnnxRuntimeApi
{
    private readonly nint _table;

    /// <summary>Looks the functions up.</summary>
    /// <param name="table">The address of <c>OrtApi</c>.</param>
    public OnnxRuntimeApi(nint table)
    {
        _table = table;
        ErrorMessage = Function<GetPointer>(2);
        CreateEnvironment = Function<CreateEnvironmentFunction>(3);
        CreateSession = Function<CreateSessionFunction>(7);
        Run = Function<RunFunction>(9);
        CreateSessionOptions = Function<Create>(10);
        SetOptimisationLevel = Function<SetNumber>(23);
        SetThreads = Function<SetNumber>(24);
        InputCount = Function<GetSize>(30);
        OutputCount = Function<GetSize>(31);
        InputType = Function<GetItem>(33);
        OutputType = Function<GetItem>(34);
        InputName = Function<GetName>(36);
        OutputName = Function<GetName>(37);
        CreateTensor = Function<CreateTensorFunction>(49);
        TensorData = Function<GetItemOf>(51);
        TensorInfo = Function<GetItemOf>(55);
        ElementType = Function<GetNumber>(60);
        DimensionCount = Function<GetSize>(61);
        Dimensions = Function<GetNumbers>(62);
        SymbolicDimensions = Function<GetNumbers>(63);
        TensorTypeAndShape = Function<GetItemOf>(65);
        CreateMemoryInfo = Function<CreateMemoryInfoFunction>(69);
        FreeMemory = Function<FreeFunction>(76);
        DefaultAllocator = Function<Create>(78);
        ReleaseEnvironment = Function<Release>(92);
        ReleaseStatus = Function<Release>(93);
        ReleaseMemoryInfo = Function<Release>(94);
        ReleaseSession = Function<Release>(95);
        ReleaseValue = Function<Release>(96);
        ReleaseTypeInfo = Function<Release>(98);
        ReleaseTensorInfo = Function<Release>(99);
        ReleaseSessionOptions = Function<Release>(100);
    }

    public delegate nint GetPointer(nint item);

    public delegate void Release(nint item);

    public delegate nint Create(out nint item);

    public delegate nint GetItemOf(nint item, out nint result);

    public delegate nint GetItem(nint item, nuint index, out nint result);

    public delegate nint GetName(nint item, nuint index, nint allocator, out nint name);

    public delegate nint GetSize(nint item, out nuint size);

    public delegate nint GetNumber(nint item, out int number);

    public delegate nint GetNumbers(nint item, [Out] long[] numbers, nuint count);

    public delegate nint SetNumber(nint item, int number);

    public delegate nint FreeFunction(nint allocator, nint memory);

    public delegate nint CreateEnvironmentFunction(int severity, byte[] name, out nint environment);

    public delegate nint CreateMemoryInfoFunction(int allocator, int memory, out nint info);

    public delegate nint CreateSessionFunction(nint environment, byte[] path, nint options, out nint session);

    public delegate nint CreateTensorFunction(nint memoryInfo, nint data, nuint byteLength, long[] shape, nuint rank, int type, out nint value);

    public delegate nint RunFunction(
        nint session, nint options, nint[] inputNames, nint[] inputs, nuint inputCount, nint[] outputNames, nuint outputCount, [In, Out] nint[] outputs);

    public GetPointer ErrorMessage { get; }

    public CreateEnvironmentFunction CreateEnvironment { get; }

    public CreateSessionFunction CreateSession { get; }

    public RunFunction Run { get; }

    public Create CreateSessionOptions { get; }

    public SetNumber SetOptimisationLevel { get; }

    public SetNumber SetThreads { get; }

    public GetSize InputCount { get; }

    public GetSize OutputCount { get; }

    public GetItem InputType { get; }

    public GetItem OutputType { get; }

    public GetName InputName { get; }

    public GetName OutputName { get; }

    public CreateTensorFunction CreateTensor { get; }

    public GetItemOf TensorData { get; }

    public GetItemOf TensorInfo { get; }

    public GetNumber ElementType { get; }

    public GetSize DimensionCount { get; }

    public GetNumbers Dimensions { get; }

    /// <summary>Fills in pointers to names; a pointer is as wide as the number that takes it on every platform that the runtime has.</summary>
    public GetNumbers SymbolicDimensions { get; }

    public GetItemOf TensorTypeAndShape { get; }

    public CreateMemoryInfoFunction CreateMemoryInfo { get; }

    public FreeFunction FreeMemory { get; }

    public Create DefaultAllocator { get; }

    public Release ReleaseEnvironment { get; }

    public Release ReleaseStatus { get; }

    public Release ReleaseMemoryInfo { get; }

    public Release ReleaseSession { get; }

    public Release ReleaseValue { get; }

    public Release ReleaseTypeInfo { get; }

    public Release ReleaseTensorInfo { get; }

    public Release ReleaseSessionOptions { get; }

    /// <summary>Turns a status into an exception, and frees it.</summary>
    /// <param name="status">What a function returned; zero for success.</param>
    /// <exception cref="OnnxRuntimeException">The function failed.</exception>
    public void Check(nint status)
    {
        if (status == 0)
        {
            return;
        }

        string message = Marshal.PtrToStringUTF8(ErrorMessage(status)) ?? "ONNX Runtime failed without saying why.";
        ReleaseStatus(status);
        throw new OnnxRuntimeException(message);
    }

    private TDelegate Function<TDelegate>(int number)
        where TDelegate : Delegate
        => Marshal.GetDelegateForFunctionPointer<TDelegate>(Marshal.ReadIntPtr(_table, number * nint.Size));
}
