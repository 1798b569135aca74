using System.Runtime.InteropServices;
using Condense.Execution.OnnxRuntime;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Xunit;
using static Condense.Execution.Tests.TestModel;

namespace Condense.Execution.Tests.OnnxRuntime;

public sealed class OnnxRuntimeSessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_library_tells_its_version() => Assert.Matches(@"^\d+\.\d+\.\d+", RuntimeLibrary.Require().Version);

    [Fact]
    public void A_path_without_a_file_is_refused_by_name()
    {
        var exception = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeLibrary.Load(_folder.File("absent.so")));
        Assert.Contains("absent.so", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_library_is_refused()
    {
        string path = _folder.File("text.so");
        File.WriteAllText(path, "not a library");
        var exception = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeLibrary.Load(path));
        Assert.Contains("is not a shared library", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_library_is_refused()
    {
        string other = Directory.EnumerateFiles(RuntimeEnvironment.GetRuntimeDirectory(), "*System.Native.*").First(file => !file.EndsWith(".dll", StringComparison.Ordinal));
        var exception = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeLibrary.Load(other));
        Assert.Contains("not ONNX Runtime", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_describes_what_goes_in_and_out()
    {
        var model = Create(17).Node("Shape", "x", "s").Node("Cast", "h", "f", Int("to", 1)).Output("s", DType.I64, 1).Output("f", DType.F32, 2);
        model.Graph.Inputs.Add(new ValueInfo { Name = "x", DType = DType.F32, Shape = [new(null, "batch"), new(7, ""), new(null, "")] });
        model.Input("h", DType.F16, 2, 3).Input("scalar", DType.Bool);
        using var session = await Open(model);
        Assert.Equal(["x", "h", "scalar"], session.Inputs.Select(input => input.Name));
        Assert.Equal([DType.F32, DType.F16, DType.Bool], session.Inputs.Select(input => input.DType!.Value));
        Assert.Equal([new Dimension(null, "batch"), new(7, ""), new(null, "")], session.Inputs[0].Shape);
        Assert.Empty(session.Inputs[2].Shape);
        Assert.Equal(["s", "f"], session.Outputs.Select(output => output.Name));
        Assert.Equal([DType.I64, DType.F32], session.Outputs.Select(output => output.DType!.Value));
    }

    [Theory]
    [InlineData(DType.F32, 4)]
    [InlineData(DType.F64, 8)]
    [InlineData(DType.F16, 2)]
    [InlineData(DType.BF16, 2)]
    [InlineData(DType.I64, 8)]
    [InlineData(DType.I32, 4)]
    [InlineData(DType.I16, 2)]
    [InlineData(DType.I8, 1)]
    [InlineData(DType.U8, 1)]
    [InlineData(DType.U16, 2)]
    [InlineData(DType.U32, 4)]
    [InlineData(DType.U64, 8)]
    [InlineData(DType.Bool, 1)]
    public async Task Every_type_goes_through_bit_for_bit(DType type, int size)
    {
        using var session = await Open(Create(17).Input("x", type, 2, 3).Node("Identity", "x", "y").Output("y", type, 2));
        byte[] data = [.. Enumerable.Range(1, 6 * size).Select(i => (byte)(type == DType.Bool ? i % 2 : i))];
        var y = session.Run(Tensors(("x", new RuntimeTensor(type, new TensorShape(2, 3), data))))["y"];
        Assert.Equal(type, y.DType);
        Assert.Equal(new TensorShape(2, 3), y.Shape);
        Assert.Equal(data, y.Data);
    }

    [Fact]
    public async Task An_empty_tensor_goes_through()
    {
        using var session = await Open(Create(17).Input("x", DType.F32, -1, 3).Node("Identity", "x", "y").Output("y", DType.F32, 2));
        var y = session.Run(Tensors(("x", new RuntimeTensor(DType.F32, new TensorShape(0, 3), []))))["y"];
        Assert.Equal(new TensorShape(0, 3), y.Shape);
    }

    [Fact]
    public async Task A_failing_node_is_named_with_the_runtimes_words()
    {
        using var session = await Open(Create(17).Input("x", DType.F32, -1).Input("z", DType.F32, -1).Node("Add", "x z", "y").Output("y", DType.F32, 1));
        var exception = Assert.Throws<OnnxRuntimeException>(() => session.Run(Tensors(("x", Floats(2)), ("z", Floats(3)))));
        Assert.Equal("y_node", exception.Node);
        Assert.Contains("Add", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_is_not_accepted_is_an_exception()
    {
        var exception = await Assert.ThrowsAsync<OnnxRuntimeException>(
            () => Open(Create(17).Input("x", DType.F32, 2).Node("NoSuchOperator", "x", "y").Output("y", DType.F32, 1)));
        Assert.Contains("NoSuchOperator", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_do_not_fit_the_shape_are_refused()
    {
        using var session = await Open(Create(17).Input("x", DType.F32, 2).Node("Identity", "x", "y").Output("y", DType.F32, 1));
        Assert.Throws<ArgumentException>(() => session.Run(Tensors(("x", new RuntimeTensor(DType.F32, new TensorShape(2), new byte[4])))));
    }

    [Fact]
    public async Task A_disposed_session_does_not_run()
    {
        var session = await Open(Create(17).Input("x", DType.F32, 2).Node("Identity", "x", "y").Output("y", DType.F32, 1));
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Run(Tensors(("x", Floats(2)))));
    }

    private static Dictionary<string, RuntimeTensor> Tensors(params (string Name, RuntimeTensor Tensor)[] tensors)
        => tensors.ToDictionary(pair => pair.Name, pair => pair.Tensor, StringComparer.Ordinal);

    private static RuntimeTensor Floats(int length) => new(DType.F32, new TensorShape(length), new byte[4 * length]);

    private async Task<OnnxRuntimeSession> Open(TestModel model)
    {
        var library = RuntimeLibrary.Require();
        using var built = model.Build();
        await ModelWriter.WriteAsync(built, _folder.File("model.onnx"), TestContext.Current.CancellationToken);
        return new OnnxRuntimeSession(library, _folder.File("model.onnx"), OptimisationLevel.Disabled, threads: 1);
    }
}
